using Rpat.Models;
using Rpat.Robust.Methods;
using Rpat.Robust.Settings;
using Rpat.Samples.Extensions;
using Rpat.Tests.Trainer;

namespace Rpat.Tests.Samples;

/// <summary>Assemblies that declare something, registered by the library and by <c>--plugin</c>.</summary>
public sealed class PluginTests : IDisposable
{
    private static readonly (string, object)[] _rest =
        [("Shape", "1x16x16"), ("Classes", 4), ("Images", "1 + 1"), ("Licence", "MIT")];

    private static readonly System.Reflection.Assembly _lists = Emitted.Assembly("Lists", ("One", typeof(ListMethod),
        Emitted.Attribute<MethodAttribute>(["list-at", "", ""], ("Attack", ""), ("Terms", ""))));

    private readonly TestHost _test = new();

    public void Dispose() => _test.Dispose();

    [Fact]
    public void ANameThatIsTakenIsRefusedAndNothingOfTheAssemblyIsThere()
    {
        var plugin = Emitted.Assembly("Clash",
            ("First", typeof(FreeAttack), Emitted.Attribute<AttackAttribute>("free-name", "linf", "-", "own")),
            ("Second", typeof(FreeAttack), Emitted.Attribute<AttackAttribute>("pgd7", "linf", "-", "own")));
        var error = Assert.Throws<ArgumentException>(() => Catalog.Register(plugin));
        Assert.Equal("Clash has an attack 'pgd7', and there is one already: give it another name.", error.Message);
        Assert.False(AttackCatalog.Knows("free-name"));
    }

    [Theory]
    [InlineData("TRADES", "a method 'TRADES', and there is 'trades', which is typed so too,")]
    [InlineData("AutoAttack", "an attack 'AutoAttack', and there is 'aa', which is typed so too,")]
    [InlineData("PGD_20", "an attack 'PGD_20', and there is 'pgd20', which is typed so too,")]
    [InlineData("CIFAR-10", "a data set 'CIFAR-10', and there is 'cifar10', which is typed so too,")]
    [InlineData("cifar10", "a data set 'cifar10', and there is one")]
    public void ANameThatPeopleTypeForAnotherIsRefused(string name, string what)
    {
        var plugin = Emitted.Assembly("Alike", what[0..4] switch
        {
            "a me" => ("One", typeof(OwnMethod), Emitted.Attribute<MethodAttribute>([name, "", ""], ("Attack", ""), ("Terms", ""))),
            "an a" => ("One", typeof(FreeAttack), Emitted.Attribute<AttackAttribute>(name, "linf", "-", "own")),
            _ => ("One", typeof(Stripes), Emitted.Attribute<DataSetAttribute>([name, ""], _rest)),
        });
        Assert.Equal($"Alike has {what} already: give it another name.",
            Assert.Throws<ArgumentException>(() => Catalog.Register(plugin, CatalogNames.Meant)).Message);
    }

    /// <summary>A list that is empty, as it is by default or as it is given, is a value like others.</summary>
    [Theory]
    [InlineData("", "")]
    [InlineData("\n  epochs: []", "")]
    [InlineData("\n  epochs: [2, 3]", "2, 3")]
    public void ASettingMayBeAnEmptyList(string given, string value)
    {
        Catalog.Register(_lists);
        string file = _test.Write("list.yaml", $"method:\n  name: list-at{given}\n");
        var config = ConfigResolver.Resolve([Layers.Defaults(), Layers.File(file)]).Config;
        Assert.Empty(LateStarts.Of(config, epochs: 1));
        Assert.Equal(value, string.Join(", ", ((ListMethod)MethodCatalog.Make("list-at", config.Method.Settings, PgdOptions.Linf)).Epochs));
    }

    [Fact]
    public void AnUnknownMethodIsSaidBeforeItsKeys()
    {
        string file = _test.Write("mine.yaml", "method:\n  form: sum\n  name: my-focal\n");
        Assert.Equal(2, _test.Run("config", "check", file));
        Assert.StartsWith($"rpat: method.name is 'my-focal' ({file}:3): that is none of the methods", _test.Error);
        Assert.Contains("those of your own need --plugin FILE.dll", _test.Error);
    }

    [Theory]
    [InlineData(typeof(MethodAttribute),
        "it': derive it from Objective, with a public constructor (PgdOptions) or one without parameters.")]
    [InlineData(typeof(AttackAttribute), "it': derive it from Attack, with a public constructor without parameters.")]
    [InlineData(typeof(ModelAttribute), "it': derive it from FeatureClassifier, with a public constructor (Device, ModelSpec, ulong).")]
    [InlineData(typeof(DataSetAttribute), "it': implement IDataSet, with a public constructor without parameters.")]
    [InlineData(typeof(CombinationsAttribute), "combinations: give it a public static property Methods that lists them.")]
    public void AClassThatIsNotWhatItDeclaresIsNamed(Type attribute, string end)
    {
        var declaration = (DeclarationAttribute)(
            attribute == typeof(MethodAttribute) ? new MethodAttribute("it", "", "") { Attack = "", Terms = "" }
            : attribute == typeof(AttackAttribute) ? new AttackAttribute("it", "linf", "", "")
            : attribute == typeof(ModelAttribute) ? new ModelAttribute("it", "")
            : attribute == typeof(DataSetAttribute) ? new DataSetAttribute("it", "") { Shape = "", Classes = 1, Images = "", Licence = "" }
            : new CombinationsAttribute());
        var error = Assert.Throws<ArgumentException>(() => declaration.Items(typeof(string)).ToList());
        Assert.StartsWith("System.String is declared as ", error.Message);
        Assert.EndsWith(end, error.Message);
    }

    [Fact]
    public void TheProgramKnowsWhatAPluginDeclares()
    {
        string file = _test.PathOf("late.dll");
        Emitted.Write(file, ("Late", typeof(Stripes), Emitted.Attribute<DataSetAttribute>(["late:stripes", "Late stripes"], _rest)));
        Assert.Equal(2, _test.Run("data", "preview", "late:stripes"));
        Assert.Equal(0, _test.Run("data", "list", "--plugin", file));
        Assert.Contains("late:stripes", _test.Out);
        string preview = _test.PathOf("late.png");
        Assert.Equal(0, _test.Run("--plugin", file, "data", "preview", "late:stripes", "--out", preview));
        Assert.Contains("from top to bottom across, down, rising, falling", _test.Out);
        Assert.Equal(0, _test.Run("bench", "kernels", "--list", "--filter", "*lerp*", "--plugin", file));
        Assert.Contains("'rpat bench ptx' compiles those of a plugin", _test.Error);
    }

    [Fact]
    public void TheProgramTrainsAndEvaluatesWithTheSamplesAlone()
    {
        string samples = typeof(FocalAt).Assembly.Location, runs = _test.PathOf("runs");
        string[] train =
        [
            "train", "--recipe", "fashion-quick", "--plugin", samples, "--dataset", "stripes", "--model", "swish-net", "--method", "alp",
            "--set", "model.width=4", "--set", "train.batch=8",
            "--set", "method.weight=0.25", "--set", "eval.n=8", "--set", "attack.steps=1", "--max-steps", "2", "--progress", "none",
            "--out", runs,
        ];
        int code = _test.Run(train);
        Assert.True(code == 0, _test.Error);
        Assert.Contains($"--attacks clean,pgd20,aa --n 100 --plugin {ShownPath.Of(samples)}", _test.Out);
        Assert.Equal([samples], RunRecord.Read(Directory.GetDirectories(runs)[0])!.Plugins);
        code = _test.Run("eval", Path.Combine(runs, "latest"), "--plugin", samples, "--attacks", "clean,best-of-noise", "--n", "8");
        Assert.True(code == 0, _test.Error);
        Assert.Contains("best-of-noise", _test.Out);
    }

    [Theory]
    [InlineData("nothing.dll", null, "is not there: give the path of an assembly.")]
    [InlineData("text.dll", "no assembly", "is no .NET assembly for this machine: give one that was built against this program.")]
    [InlineData("", null, "is a folder: give the assembly in it, a file that ends in .dll.")]
    public void AFileThatIsNoPluginIsOneSentence(string name, string? text, string end)
    {
        if (text is not null) _test.Write(name, text);
        Assert.Equal(2, _test.Run("methods", "--plugin", _test.PathOf(name)));
        string line = Assert.Single(_test.Error.TrimEnd().Split('\n'));
        Assert.StartsWith($"rpat: --plugin '{_test.PathOf(name)}' ", line);
        Assert.EndsWith(end, line);
    }

    [Fact]
    public void AnAssemblyThatDeclaresNothingIsWarnedAbout()
    {
        string file = _test.PathOf("empty.dll");
        Emitted.Write(file);
        Assert.Equal(0, _test.Run("attacks", "--plugin", file));
        Assert.Equal($"warning: --plugin '{file}' declares no method, attack, network or data set: give one of its classes [Method], "
            + "[Attack], [Model] or [DataSet].\n", _test.Error);
    }

    [Theory]
    [InlineData("there is no method 'mine-at'", "methods", "show", "mine-at")]
    [InlineData("there is no attack 'mine-mifgsm'", "attacks", "show", "mine-mifgsm")]
    [InlineData("there is no model 'minenet'", "models", "show", "minenet")]
    [InlineData("there is no data set 'mine'", "data", "preview", "mine")]
    [InlineData("data.name is 'mine' (--data): that is none of the data sets; the nearest data sets are", "train", "--data", "mine")]
    [InlineData("unknown key 'method.epsilon' (--set)", "config", "show", "--set", "method.epsilon=2")]
    public void AnUnknownNameMentionsPlugins(string begin, params string[] command)
    {
        Assert.Equal(2, _test.Run(command));
        Assert.StartsWith($"rpat: {begin}", _test.Error);
        Assert.Contains("those of your own need --plugin FILE.dll", Assert.Single(_test.Error.TrimEnd().Split('\n')));
    }

    [Fact]
    public void ANameOfAPluginIsAmongTheNearest() =>
        Assert.StartsWith("did you mean 'best-of-noise'?", CatalogNames.Attacks.Hint("best-of-nois"), StringComparison.Ordinal);

    [Fact]
    public void APluginThatDoesNotFitIsOneSentence()
    {
        string file = _test.PathOf("clash.dll");
        Emitted.Write(file, ("Taken", typeof(FreeAttack), Emitted.Attribute<AttackAttribute>("square", "linf", "-", "own")));
        Assert.Equal(2, _test.Run("methods", "--plugin", file));
        Assert.Equal($"rpat: --plugin '{file}': clash has an attack 'square', and there is one already: give it another name.\n",
            _test.Error);
    }
}

/// <summary>A method with a list.</summary>
public record ListMethod : OwnMethod
{
    [Setting("epochs")]
    public IReadOnlyList<int> Epochs { get; init; } = [];
}

/// <summary>An attack for assemblies that the tests make.</summary>
public record FreeAttack : Attack
{
    public override string Settings => "";

    protected internal override Task<AttackResult> Run(Subject subject, AttackPart part) =>
        Task.FromResult(new AttackResult(subject.Image, false, 0, 0));
}
