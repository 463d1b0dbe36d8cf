using Rpat.Robust.Losses;
using Rpat.Robust.Methods;
using Rpat.Robust.Modifiers;

namespace Rpat.Tests.Trainer.Recipes;

public class RecipeLibraryTests
{
    [Fact]
    public void TheQuickRecipeComesFirst() => Assert.Equal("fashion-quick", RecipeLibrary.Names[0]);

    [Fact]
    public void EveryRecipeResolvesAndSaysWhatItIs()
    {
        Assert.All(RecipeLibrary.Names, name => Assert.NotEmpty(RecipeLibrary.About(name)));
        Assert.All(RecipeLibrary.Names, name => Assert.Equal(name, Resolve(name).RunName));
    }

    [Theory]
    [InlineData("fashion-quick", "fashion-pgd-at-quick")]
    [InlineData("cifar10-preactresnet18-rpat-linf", "cifar10-preactresnet18-pgd-at-linf")]
    public void ABaselineDiffersByTheMethodOnly(string recipe, string baseline)
    {
        TrainerConfig with = Resolve(recipe), without = Resolve(baseline);
        Assert.Equal("pgd-at+rpat", with.Method.Name);
        Assert.Equal("pgd-at", without.Method.Name);
        Assert.Equivalent(with with { Recipe = without.Recipe, Method = without.Method }, without, strict: true);
    }

    [Fact]
    public void TheCifarRecipeHasThePublishedSettings()
    {
        var config = Resolve("cifar10-preactresnet18-rpat-linf");
        Assert.Equal(new TrainSection { Epochs = 110 }, config.Train);
        Assert.Equal(new OptimizerSection(), config.Optimizer);
        Assert.Equal([100, 105], config.Schedule.Milestones);
        Assert.Equal((ScheduleKind.Piecewise, 0.1), (config.Schedule.Kind, config.Schedule.Factor));
        Assert.Equal(new AttackSection(), config.Attack);
        Assert.Equal((0.1, 0.9, 5e-4), (config.Optimizer.Lr, config.Optimizer.Momentum, config.Optimizer.WeightDecay));
        Assert.Equal((8.0 / 255, 2.0 / 255, 10), (config.Attack.Eps, config.Attack.Step, config.Attack.Steps));
        Assert.Equal(new RobustPerception { Weight = 1, Alpha = 0.5f, Form = PerceptionForm.Residual, Start = 0 }, config.Method.Rpat);
        Assert.Equal((4, true), (config.Data.Augment.CropPad, config.Data.Augment.Flip));
    }

    // The step from which the rate is that of the first drop, at 391 steps per epoch: the official scripts' rules.
    [Theory]
    [InlineData("cifar10-preactresnet18-gairat-linf", 29 * 391)] // from epoch 30 on, counted from 1
    [InlineData("cifar10-wrn-34-10-gairat-linf", 59 * 391)]
    // t = epoch + (i + 1)/391 reaches 100 in the last iteration of epoch 99
    [InlineData("cifar10-preactresnet18-rebat-linf", 100 * 391 - 1)]
    [InlineData("cifar10-preactresnet18-rpat++-linf", 100 * 391 - 1)]
    [InlineData("cifar10-wrn-34-10-rpat++-cutmix-linf", 100 * 391 - 1)]
    [InlineData("cifar10-preactresnet18-wa-linf", 100 * 391 - 1)]
    [InlineData("cifar10-preactresnet18-awp-linf", 100 * 391 - 1)]
    [InlineData("cifar10-resnet18-pgd-at-linf", 100 * 391)] // once at the end of each epoch
    public void TheRateDropsInTheOfficialStep(string recipe, int step)
    {
        var config = Resolve(recipe);
        var schedule = Run.Schedule(config, stepsPerEpoch: 391);
        Assert.Equal((float)config.Optimizer.Lr, schedule.Rate(step - 1));
        Assert.Equal(config.Optimizer.Lr * config.Schedule.Factor, schedule.Rate(step), 1e-7);
    }

    [Fact]
    public void AValueIsShownWithTheSourceThatItsLineOrItsSectionGives()
    {
        using var test = new TestHost();
        Assert.Equal(0, test.Run("recipes", "show", "cifar10-preactresnet18-rpat-linf"));
        Assert.Matches(@"train\.epochs: 110 +# inferred from those milestones", test.Out);
        Assert.Matches(@"attack\.steps: 10 +# official code, RPAT_Benchmarks: its Linf setting", test.Out);
        Assert.DoesNotContain("run.threads", test.Out);
    }

    [Fact]
    public void TwoRecipesDifferInTheKeysThatSayDifferentThings()
    {
        using var test = new TestHost();
        Assert.Equal(0, test.Run("recipes", "diff", "fashion-quick", "fashion-pgd-at-quick"));
        Assert.Equal(2, test.Out.TrimEnd().Split('\n').Length);
        Assert.Matches(@"method\.name +pgd-at\+rpat +pgd-at", test.Out);
    }

    [Fact]
    public void EveryPublishedRowHasARecipeWithItsNumbers()
    {
        foreach (string line in _published)
        {
            string[] cells = line.Split(',');
            string name = $"{cells[3]}-{cells[2]}-{_labels[cells[0]]}-{cells[4]}";
            Assert.True(RecipeLibrary.Names.Contains(name), $"no recipe {name}");
            var published = RecipeLibrary.Published(name)!;
            Assert.Equal(line[(line.IndexOf(cells[4] + ",", StringComparison.Ordinal) + cells[4].Length + 1)..],
                FormattableString.Invariant($"{published.Clean:F2},{published.Aa:F2},{published.Mean:F3},{published.Nrr:F3}"));
            var config = Resolve(name);
            Assert.Equal((cells[2].Replace("wrn-", "wideresnet", StringComparison.Ordinal), cells[3], cells[4]),
                (config.Model.Name, config.Data.Name, config.Attack.Norm.Name));
        }
    }

    [Fact]
    public void EveryMethodHasAQuickRecipeAndEveryNeedARecipe()
    {
        var methods = RecipeLibrary.Names.Where(RecipeLibrary.IsQuick).Select(name => Resolve(name).Method.Name).ToHashSet();
        Assert.Empty(MethodCatalog.Find(typeof(MethodCatalog).Assembly).Select(m => m.Name).Except(methods));
        foreach (var (key, recipe) in RecipeLibrary.Names.SelectMany(RecipeLibrary.Needs))
        {
            Assert.Contains(recipe, RecipeLibrary.Names);
            Assert.Contains(ConfigKeys.All, leaf => leaf.Path == key);
        }
    }

    [Fact]
    public void TheBaselinesStandPlainAndWithRpatOnEveryDataSetAndNorm()
    {
        foreach (string data in new[] { "cifar10", "cifar100", "tiny-imagenet" })
            foreach (string method in new[] { "pgd-at", "trades", "mart", "consistency-at" })
                foreach (string norm in new[] { "linf", "l2" })
                {
                    Assert.Equal(method, Resolve($"{data}-resnet18-{method}-{norm}").Method.Name);
                    Assert.Equal(method + "+rpat", Resolve($"{data}-resnet18-{method}+rpat-{norm}").Method.Name);
                }
    }

    private static readonly Dictionary<string, string> _labels = new()
    {
        ["WA"] = "wa",
        ["MMA"] = "mma",
        ["AWP"] = "awp",
        ["GAIRAT"] = "gairat",
        ["KD+SWA"] = "kd-swa",
        ["EWAT"] = "ewat",
        ["MAIL"] = "mail-at",
        ["TE"] = "te",
        ["SOVR"] = "sovr",
        ["ReBAT"] = "rebat",
        ["RPAT++"] = "rpat++",
        ["ADR"] = "adr",
        ["CURE"] = "cure",
        ["ReBAT*"] = "rebat-cutmix",
        ["RPAT++*"] = "rpat++-cutmix",
    };

    // The paper's table of published methods: method, venue, network, data set, norm, Clean, AA, Mean, NRR.
    private static readonly string[] _published =
    [
        "WA,UAI'18,preactresnet18,cifar10,linf,83.50,49.89,66.695,62.461",
        "WA,UAI'18,preactresnet18,cifar100,linf,57.26,25.83,41.545,35.601",
        "MMA,ICLR'20,preactresnet18,cifar10,linf,85.50,37.20,61.350,51.844",
        "MMA,ICLR'20,preactresnet18,cifar100,linf,60.60,18.40,39.500,28.229",
        "AWP,NeurIPS'20,preactresnet18,cifar10,linf,81.11,50.09,65.600,61.933",
        "AWP,NeurIPS'20,preactresnet18,cifar100,linf,54.10,25.16,39.630,34.347",
        "GAIRAT,ICLR'21,preactresnet18,cifar10,linf,78.70,37.70,58.200,50.979",
        "GAIRAT,ICLR'21,preactresnet18,cifar100,linf,52.00,19.80,35.900,28.680",
        "KD+SWA,ICLR'21,preactresnet18,cifar10,linf,84.06,49.82,66.940,62.562",
        "KD+SWA,ICLR'21,preactresnet18,cifar100,linf,57.17,25.66,41.415,35.422",
        "EWAT,ICML'21,preactresnet18,cifar10,linf,82.80,48.20,65.500,60.931",
        "EWAT,ICML'21,preactresnet18,cifar100,linf,54.20,23.52,38.860,32.805",
        "MAIL,NeurIPS'21,preactresnet18,cifar10,linf,79.50,39.60,59.550,52.867",
        "MAIL,NeurIPS'21,preactresnet18,cifar100,linf,46.50,16.70,31.600,24.574",
        "TE,ICLR'22,preactresnet18,cifar10,linf,82.04,50.12,66.080,62.225",
        "TE,ICLR'22,preactresnet18,cifar100,linf,56.41,25.84,41.125,35.444",
        "SOVR,ICML'23,preactresnet18,cifar10,linf,81.90,49.40,65.650,61.628",
        "SOVR,ICML'23,preactresnet18,cifar100,linf,52.10,24.30,38.200,33.142",
        "ReBAT,NeurIPS'23,preactresnet18,cifar10,linf,82.09,50.72,66.405,62.700",
        "ReBAT,NeurIPS'23,preactresnet18,cifar100,linf,56.13,27.60,41.865,37.004",
        "RPAT++,ICCV'25,preactresnet18,cifar10,linf,82.63,51.00,66.815,63.072",
        "RPAT++,ICCV'25,preactresnet18,cifar100,linf,56.84,27.68,42.260,37.230",
        "ReBAT,NeurIPS'23,preactresnet18,cifar10,l2,88.79,71.00,79.895,78.905",
        "ReBAT,NeurIPS'23,preactresnet18,cifar100,l2,65.58,42.67,54.125,51.701",
        "RPAT++,ICCV'25,preactresnet18,cifar10,l2,89.06,71.26,80.160,79.172",
        "RPAT++,ICCV'25,preactresnet18,cifar100,l2,65.63,42.85,54.240,51.848",
        "WA,UAI'18,wrn-34-10,cifar10,linf,87.66,52.65,70.155,65.787",
        "MMA,ICLR'20,wrn-34-10,cifar10,linf,87.80,43.10,65.450,57.818",
        "AWP,NeurIPS'20,wrn-34-10,cifar10,linf,85.63,53.32,69.475,65.718",
        "GAIRAT,ICLR'21,wrn-34-10,cifar10,linf,83.00,41.80,62.400,55.599",
        "KD+SWA,ICLR'21,wrn-34-10,cifar10,linf,87.45,53.59,70.520,66.456",
        "EWAT,ICML'21,wrn-34-10,cifar10,linf,86.00,51.60,68.800,64.500",
        "MAIL,NeurIPS'21,wrn-34-10,cifar10,linf,82.20,43.30,62.750,56.721",
        "TE,ICLR'22,wrn-34-10,cifar10,linf,85.97,52.88,69.425,65.482",
        "SOVR,ICML'23,wrn-34-10,cifar10,linf,85.00,53.10,69.050,65.366",
        "ReBAT,NeurIPS'23,wrn-34-10,cifar10,linf,85.25,54.78,70.015,66.700",
        "ADR,ICLR'24,wrn-34-10,cifar10,linf,84.67,53.25,68.960,65.381",
        "CURE,ICLR'24,wrn-34-10,cifar10,linf,87.05,52.10,69.575,65.186",
        "RPAT++,ICCV'25,wrn-34-10,cifar10,linf,86.76,54.97,70.865,67.300",
        "ReBAT*,NeurIPS'23,wrn-34-10,cifar10,linf,86.66,55.64,71.150,67.769",
        "RPAT++*,ICCV'25,wrn-34-10,cifar10,linf,87.57,55.79,71.680,68.158",
    ];

    private static TrainerConfig Resolve(string recipe) => ConfigResolver.Resolve(
        new ConfigSources([], new Dictionary<string, string>(), [], [("--recipe", ConfigKeys.Of(c => c.Recipe.Name), recipe)])).Config;
}
