namespace Rpat.Tests.Trainer.Config;

public sealed class ConfigResolverTests : IDisposable
{
    private readonly TestHost _test = new();

    public void Dispose() => _test.Dispose();

    [Fact]
    public void EverySourceOverridesTheOnesBelowIt()
    {
        string[] keys = ["epochs", "batch", "seed", "max_steps"];
        string Values(int count, string value) => "train: {" + string.Join(", ", keys[..count].Select(key => $"{key}: {value}")) + "}";
        _test.Write("base.yaml", Values(4, "4") + "\noptimizer: {lr: 0.4}");
        string first = _test.Write(
            "first.yaml", "extends: base.yaml\nrecipe: fashion-quick\ntrain: {epochs: 5, batch: 5, seed: 5, max_steps: 5}");
        string second = _test.Write("second.yaml", "train: {epochs: 6, batch: 6, seed: 6}");
        var resolved = ConfigResolver.Resolve(new ConfigSources(
            [first, second],
            new Dictionary<string, string> { ["RPAT__TRAIN__EPOCHS"] = "7", ["RPAT__TRAIN__BATCH"] = "7" },
            ["train.epochs=8", "train.batch=8"],
            [("--epochs", ConfigKeys.Of(c => c.Train.Epochs), "9")]));

        var config = resolved.Config;
        Assert.Equal((9, 8, 6L, 5), (config.Train.Epochs, config.Train.Batch, config.Train.Seed, config.Train.MaxSteps));
        Assert.Equal(0.4, config.Optimizer.Lr);
        Assert.Equal(16, config.Model.Width);
        Assert.Equal(0.1, config.Schedule.Factor);
        Assert.Equal("--epochs", resolved.Values["train.epochs"].Origin);
        Assert.Equal("--set", resolved.Values["train.batch"].Origin);
        Assert.Equal($"{second}:1", resolved.Values["train.seed"].Origin);
        Assert.Equal($"{first}:3", resolved.Values["train.max_steps"].Origin);
        Assert.Equal($"{_test.PathOf("base.yaml")}:2", resolved.Values["optimizer.lr"].Origin);
        Assert.Equal("recipe fashion-quick (fashion)", resolved.Values["model.width"].Origin);
        Assert.Equal("default", resolved.Values["schedule.factor"].Origin);
    }

    [Theory]
    [InlineData("norm=l2", "128/255", "15/255")]
    [InlineData("norm=l2 eps=0.5", "0.5", "15/255")]
    [InlineData("norm=L2 step=0.1", "128/255", "0.1")]
    [InlineData("norm=l1", "12", "3")]
    [InlineData("norm=linf", "8/255", "2/255")]
    [InlineData("eps=4/255", "4/255", "2/255")]
    public void ANormTakesItsUsualRadiusUnlessOneIsGiven(string given, string eps, string step)
    {
        string[] sets = [.. given.Split(' ').Select(set => $"attack.{set}")];
        foreach (string recipe in new[] { "fashion-quick", "cifar10-resnet18-trades-linf", "" })
            foreach (bool flags in new[] { false, true })
            {
                var norm = ConfigKeys.Of(c => c.Attack.Norm);
                bool isFlag = flags && sets[0].StartsWith(norm.Path, StringComparison.Ordinal);
                var values = ConfigResolver.Resolve(new ConfigSources([], new Dictionary<string, string>(),
                    [$"recipe.name={recipe}", .. isFlag ? sets[1..] : sets], isFlag ? [("--norm", norm, sets[0][12..])] : [])).Values;
                Assert.Equal((eps, step), (values["attack.eps"].Text, values["attack.step"].Text));
            }
    }

    /// <summary>A width is a number of channels in one network and a factor in another.</summary>
    [Theory]
    [InlineData("model=wideresnet34-10", 0, 0)]
    [InlineData("model=resnet18", 0, 0)]
    [InlineData("model=PreActResNet-18", 16, 1)] // which it is anyway
    [InlineData("model=wideresnet34-10 model.width=2", 2, 0)]
    [InlineData("model.width=8", 8, 1)]
    public void SizesOfARecipesNetworkAreNotThoseOfAnother(string sets, int width, int blocks)
    {
        foreach (string[] layer in new[] { sets.Split(' '), [] })
        {
            string file = _test.Write("net.yaml", string.Concat(sets.Split(' ').Select(set => set.Replace("=", ": ") + "\n")));
            var config = ConfigResolver.Resolve(new ConfigSources(layer.Length > 0 ? [] : [file], new Dictionary<string, string>(),
                ["recipe.name=fashion-quick", .. layer], [])).Config;
            Assert.Equal((width, blocks), (config.Model.Width, config.Model.Blocks));
        }
    }

    [Fact]
    public void SizesInAFileBelongToTheNetworkThatItNames()
    {
        string named = _test.Write("a.yaml", "model: {name: preactresnet18, width: 8}"), sizes = _test.Write("b.yaml", "model.width: 8");
        Assert.Equal(0, Resolve([named], "model=wideresnet34-10").Model.Width);
        Assert.Equal(8, Resolve([sizes], "model=wideresnet34-10").Model.Width);
    }

    [Theory]
    [InlineData("method=trades-awp method.awp.gamma=0.01", "replaces trades-awp's own weight perturbation")]
    [InlineData("method=adr method.gamma=0.005 method.awp.gamma=0.01", "replaces adr's own weight perturbation")]
    [InlineData("method=adr method.awp.gamma=0.01", "")]
    [InlineData("method=trades-awp", "")]
    public void AMethodsOwnWeightPerturbationIsNotReplacedInSilence(string sets, string sentence)
    {
        string[] said = [.. SuspectValues.Of(Resolve([], ["recipe=fashion-quick", .. sets.Split(' ')]), 10_000)];
        if (sentence.Length == 0) Assert.Empty(said);
        else Assert.Contains(sentence, Assert.Single(said), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("train.epochs=30", true)]
    [InlineData("train.epochs=101", false)]
    [InlineData("train.epochs=30 schedule.milestones=20,40", false)]
    [InlineData("train.epochs=30 schedule.kind=constant", false)]
    public void ARateThatNeverDropsIsSaid(string sets, bool warns)
    {
        var config = ConfigResolver.Resolve(new ConfigSources([], new Dictionary<string, string>(),
            ["recipe.name=cifar10-resnet18-pgd-at-linf", .. sets.Split(' ')], [])).Config;
        Assert.Equal(warns, SuspectValues.Of(config, 50_000).Contains("warning: schedule.milestones is 100, 105, and the run has 30 epochs: "
            + "its rate never drops; set earlier ones."));
    }

    [Fact]
    public void ASettingOfThePerceptionTermIsSaidToBeUnreadWithoutIt()
    {
        string[] Said(params string[] sets) => [.. SuspectValues.Unread(ConfigResolver.Resolve(new ConfigSources([],
            new Dictionary<string, string>(), ["recipe.name=fashion-quick", .. sets], [])))];
        Assert.Empty(Said("method=pgd-at"));
        Assert.Empty(Said("method=pgd-at", "method.rpat.weight=1")); // its default
        Assert.Empty(Said("method.rpat.weight=10"));
        Assert.Equal("warning: method.rpat.weight is 10 (--set), and pgd-at has no perception term: it is not read; method pgd-at+rpat has "
            + "one.", Assert.Single(Said("method=pgd-at", "method.rpat.weight=10")));
    }

    [Fact]
    public void ARadiusOfAFileIsNotThatOfAnotherNorm()
    {
        string file = _test.Write("linf.yaml", "attack: {norm: linf, eps: 8/255, step: 2/255}");
        var error = Assert.Throws<ConfigException>(() => ConfigResolver.Resolve(new ConfigSources([file], new Dictionary<string, string>(),
            ["attack.norm=l2"], [])));
        Assert.Contains($"attack.eps is '8/255' ({file}:1), which was set for linf: set attack.eps too, 128/255 is usual.", error.Message,
            StringComparison.Ordinal);
        ConfigKey eps = ConfigKeys.Of(c => c.Attack.Eps), step = ConfigKeys.Of(c => c.Attack.Step);
        var both = ConfigResolver.Resolve(new ConfigSources([file], new Dictionary<string, string> { ["RPAT__ATTACK__NORM"] = "l2" }, [],
            [("--eps", eps, "1"), ("--step-size", step, "0.2")]));
        Assert.Equal((1, 0.2), (both.Config.Attack.Eps, both.Config.Attack.Step));
    }

    [Fact]
    public void TheEnvironmentLiesBetweenFilesAndSet()
    {
        string file = _test.Write("a.yaml", "train:\n  epochs: 5\n  batch: 5\n");
        var environment = new Dictionary<string, string>
        {
            ["RPAT__TRAIN__EPOCHS"] = "7",
            ["rpat__train__batch"] = "7",
            ["RPAT_RUNS"] = "short",
            ["RPAT_DATA"] = "images",
            ["RPAT__RUN__OUT"] = "long",
        };
        var config = ConfigResolver.Resolve(new ConfigSources([file], environment, ["train.batch=8"], [])).Config;
        Assert.Equal((7, 8, "long", "images"), (config.Train.Epochs, config.Train.Batch, config.Run.Out, config.Data.Dir));
    }

    [Theory]
    [InlineData("pgd-at", false)]
    [InlineData("pgd-at+rpat", true)]
    public void AScalarMethodIsShortForItsName(string method, bool hasTerm)
    {
        var config = Resolve([], $"method={method}");
        Assert.Equal((method, hasTerm), (config.Method.Name, config.Method.HasRpat));
        config = Resolve([_test.Write("m.yaml", $"method: {method}")]);
        Assert.Equal((method, hasTerm), (config.Method.Name, config.Method.HasRpat));
    }

    [Fact]
    public void JsonIsAcceptedToo()
    {
        var config = Resolve([_test.Write("a.json", """{"train": {"epochs": 2}, "eval": {"attacks": ["clean", "pgd7"]}}""")]);
        Assert.Equal(2, config.Train.Epochs);
        Assert.Equal(["clean", "pgd7"], config.Eval.Attacks.Select(attack => attack.Name));
        Assert.Equal("PGD-7", config.Eval.Attacks[1].Title);
    }

    [Theory]
    [InlineData("{\n// c\n\"train\": {\"epochs\": 1}}", "a.json:2 has a comment, which JSON does not know: remove it, or write YAML.")]
    [InlineData("{\"train\": {}, \"train\": {}}", "is not valid JSON: Duplicate key")]
    public void AJsonFileIsNotCalledYaml(string text, string sentence) =>
        Assert.Contains(sentence, Error([_test.Write("a.json", text)]), StringComparison.Ordinal);

    [Theory]
    [InlineData("~")]
    [InlineData("null")]
    [InlineData("")]
    public void ANullIsAnEmptyValue(string text)
    {
        string file = _test.Write("null.yaml", $"recipe: fashion-quick\nrun:\n  name: {text}\n");
        Assert.Equal("", ConfigResolver.Resolve(new ConfigSources([file], new Dictionary<string, string>(), [], [])).Config.Run.Name);
    }

    [Fact]
    public void AnUnknownKeyIsNamedWithFileLinePathAndNearestName()
    {
        string file = _test.Write("bad.yaml", "train:\n  epochs: 1\nattack:\n  esp: 8/255\n");
        string message = Error([file]);
        Assert.StartsWith($"unknown key 'attack.esp' ({file}:4): did you mean 'attack.eps'?", message);
        Assert.Contains("norm, eps, step", message);
    }

    [Theory]
    [InlineData("trian:\n  epochs: 1", "did you mean 'train'?")]
    [InlineData("train:\n  augment:\n    crop: 4", "unknown key 'train.augment'")]
    [InlineData("attack:\n  momentum: 0.5", "did you mean 'optimizer.momentum'?")]
    [InlineData("train:\n  epochs: {a: 1}", "train.epochs")]
    [InlineData("train:\n  epochs: [1, 2]", "wants one value, not a list")]
    [InlineData("train: 3", "is a section: give it keys (epochs, batch")]
    [InlineData("train:\n  epochs: 1\n  epochs: 2", "is not valid YAML: Duplicate key")]
    [InlineData("train:\n  epochs: 1\ntrain.epochs: 2", "train.epochs stands twice")]
    [InlineData("a: [", "is not valid YAML")]
    [InlineData("- 1", "holds no keys")]
    [InlineData("train: {epochs: 1}\n---\ntrain: {epochs: 2}", "several YAML documents")]
    [InlineData("? [a, b]\n: 1", "no plain name")]
    [InlineData("eval:\n  attacks: [[clean]]", "a list in a list")]
    [InlineData("eval:\n  attacks: [clean, clean]", "stands twice")]
    [InlineData("train:\n  epochs: 0", "it wants a whole number from 1 to 1000000")]
    [InlineData("train:\n  epochs: 99999999999", "it wants a whole number from 1 to 1000000")]
    [InlineData("average:\n  ema: 1", "never move")]
    [InlineData("average:\n  ema: 0.9\n  swa: 3", "by step or by epoch")]
    [InlineData("method:\n  name: clean\n  beta: 6", "method clean has no setting 'beta': it has none")]
    [InlineData("method:\n  name: trades\n  beta: much", "setting 'beta' of method trades is 'much': it wants a number from 0 to 1000000")]
    [InlineData("method:\n  name: trades\n  repeat: maybe", "wants true or false")]
    [InlineData("method:\n  name: tradse", "did you mean 'trades'?")]
    [InlineData("data:\n  augment:\n    flip: yes", "it wants true or false")]
    [InlineData("method:\n  rpat: {form: quotient, alpha: 1}", "it wants a number from 0.001 to 0.999")]
    [InlineData("schedule:\n  warmup: 4\ntrain:\n  epochs: 3", "the run has 3 epochs and would end before it reaches its learning rate")]
    [InlineData("schedule:\n  milestones: [105, 100]", "milestones must rise")]
    [InlineData("optimizer: {nesterov: true, momentum: 0}", "needs a momentum")]
    [InlineData("run:\n  name: a/b", "part of a folder's name")]
    [InlineData("data:\n  name: fashion-minst", "did you mean 'fashion-mnist'?")]
    [InlineData("extends: nowhere.yaml", "cannot be read")]
    public void AWrongFileIsOneSentence(string text, string expected)
    {
        string message = Error([_test.Write("wrong.yaml", text)]);
        Assert.Contains(expected, message);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void OnlyOneLevelIsExtended()
    {
        _test.Write("c.yaml", "train: {epochs: 1}");
        _test.Write("b.yaml", "extends: c.yaml");
        Assert.Contains("only one level", Error([_test.Write("a.yaml", "extends: b.yaml")]));
    }

    [Fact]
    public void WithoutNameAndRecipeARunIsNamedByMethodAndData() =>
        Assert.Equal("pgd-at-b", Resolve([], "data=npz:a/b.npz", "method=pgd-at").RunName);

    [Theory]
    [InlineData("attack.eps=8", "write 8/255")]
    [InlineData("attack.step=2", "write 2/255")]
    [InlineData("attack.eps=1.5", "write 1.5/255")]
    [InlineData("attack.eps=300/255", "at most 1")]
    [InlineData("attack.eps=-0.1", "it wants a number from 1e-6 to 1000")]
    [InlineData("attack.eps=0", "it wants a number from 1e-6 to 1000")]
    [InlineData("attack.eps=eight", "such as 0.1, 1e-4 or 8/255")]
    public void AWrongEpsilonIsExplained(string setting, string expected) => Assert.Contains(expected, Error([], setting));

    [Theory]
    [InlineData("npz:mine.npz")]
    [InlineData("fashion-mnist:full")]
    public void ADataSetMayBeAFile(string name) => Assert.Equal(name, Resolve([], $"data={name}").Data.Name);

    [Theory]
    [InlineData("attack.eps=8/255", 8.0 / 255)]
    [InlineData("attack.eps=0.031", 0.031)]
    [InlineData("attack.eps=1", 1.0)]
    public void ARightEpsilonIsTaken(string setting, double expected) => Assert.Equal(expected, Resolve([], setting).Attack.Eps);

    [Fact]
    public void AnL2BallMayBeWiderThanOneWhenWrittenAsAFraction() =>
        Assert.Equal(512.0 / 255, ConfigResolver.Resolve(Sources([], "attack.norm=l2", "attack.eps=512/255")).Config.Attack.Eps);

    [Theory]
    [InlineData("nothing")]
    [InlineData("=1")]
    public void ASettingWithoutKeyAndValueIsRefused(string setting) =>
        Assert.Contains("(--set) is not of the form key=value", Error([], setting));

    [Fact]
    public void ARegisteredMethodsSettingsAreKeysWithBounds()
    {
        Assert.Equal("3", Resolve([], "method=focal-at", "method.focus=3").Method.Settings["focus"]);
        Assert.Equal("2", Resolve([], "method=focal-at+rpat").Method.Settings["focus"]);
        Assert.Contains("setting 'focus' of method focal-at is '11': it wants a number from 0 to 10",
            Error([], "method=focal-at", "method.focus=11"));
        Assert.Contains("\"focus\"", JsonSchemaWriter.Write());
    }

    [Theory]
    [InlineData("fashion-mma-quick", "pgd-at", "")] // a threshold is MMA's
    [InlineData("fashion-trades-quick", "mail-trades", "beta=5,bias=0,repeat=false,slope=2,start=77")] // not TRADES's own 6
    [InlineData("fashion-rebat-quick", "rpat++", "decay=0.98,start=3")] // what the recipe chose, both have
    [InlineData("fashion-te-quick", "te", "ramp=2,start=2")]
    public void AnotherMethodLeavesTheFirstOnesSettingsBehind(string recipe, string method, string expected)
    {
        var settings = ConfigResolver.Resolve(Sources([], $"recipe={recipe}", $"method={method}")).Config.Method.Settings;
        foreach (string pair in expected.Split(',', StringSplitOptions.RemoveEmptyEntries))
            Assert.Equal(pair.Split('=')[1], settings[pair.Split('=')[0]]);
        Assert.Equal(Rpat.Robust.Methods.MethodCatalog.Find(method)!.Settings.Select(s => s.Name).Order(), settings.Keys.Order());
    }

    [Fact]
    public void AResolvedFileOfOneMethodServesAnotherOne()
    {
        string file = _test.Write("run.yaml", ConfigWriter.Write(ConfigResolver.Resolve(Sources([], "method=trades"))));
        Assert.Equal("5", Resolve([file], "method=mail-trades").Method.Settings["beta"]);
        Assert.Empty(Resolve([file], "method=pgd-at").Method.Settings);
        Assert.Contains("method pgd-at has no setting 'beta'", Error([file], "method=pgd-at", "method.beta=3"));
    }

    [Fact]
    public void AnUnknownVariableIsRefused()
    {
        var sources = new ConfigSources([], new Dictionary<string, string> { ["RPAT__TRAIN__EPOCH"] = "1" }, [], []);
        string message = Assert.Throws<ConfigException>(() => ConfigResolver.Resolve(sources)).Message;
        Assert.StartsWith("unknown key 'train.epoch' (environment RPAT__TRAIN__EPOCH): did you mean 'train.epochs'?", message);
    }

    private static ConfigSources Sources(string[] files, params string[] sets) => new(files, new Dictionary<string, string>(), sets, []);

    private static TrainerConfig Resolve(string[] files, params string[] sets) => ConfigResolver.Resolve(Sources(files, sets)).Config;

    private static string Error(string[] files, params string[] sets) =>
        Assert.Throws<ConfigException>(() => ConfigResolver.Resolve(Sources(files, sets))).Message;
}
