using Rpat.Trainer.Config;
using Rpat.Trainer.Recipes;

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
        Assert.Equal(new TrainSection(110, 128, 0, 0), config.Train);
        Assert.Equal(new OptimizerSection(0.1, 0.9, 5e-4, false), config.Optimizer);
        Assert.Equal([100, 105], config.Schedule.Milestones);
        Assert.Equal((ScheduleKind.Piecewise, 0.1), (config.Schedule.Kind, config.Schedule.Factor));
        Assert.Equal(
            new AttackSection(AttackNorm.Linf, 8.0 / 255, 2.0 / 255, 10, 1, AttackStart.Auto, AttackBatchNorm.Auto), config.Attack);
        Assert.Equal(new RpatSection(1, 0.5, RpatForm.Code, 0), config.Method.Rpat);
        Assert.Equal((4, true), (config.Data.Augment.CropPad, config.Data.Augment.Flip));
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

    private static TrainerConfig Resolve(string recipe) => ConfigResolver.Resolve(
        new ConfigSources([], new Dictionary<string, string>(), [], [("--recipe", Keys.RecipeName, recipe)])).Config;
}
