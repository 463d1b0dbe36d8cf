using Rpat.Models;
using Rpat.Robust.Methods;
using Rpat.Samples.Extensions;
using Rpat.Tests.Trainer;

namespace Rpat.Tests.Samples;

/// <summary>Assemblies that declare something, registered by the library and by <c>--plugin</c>.</summary>
public sealed class PluginTests : IDisposable
{
    private static readonly (string, object)[] _rest =
        [("Shape", "1x16x16"), ("Classes", 4), ("Images", "1 + 1"), ("Licence", "MIT")];

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
    [InlineData(typeof(MethodAttribute), "it' and is no Objective: derive it from that.")]
    [InlineData(typeof(AttackAttribute), "it': derive it from Attack, with a constructor without parameters.")]
    [InlineData(typeof(ModelAttribute), "it': derive it from FeatureClassifier, with a constructor (Device, ModelSpec, ulong).")]
    [InlineData(typeof(DataSetAttribute), "it': implement IDataSet, with a constructor without parameters.")]
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
        code = _test.Run("eval", Path.Combine(runs, "latest"), "--plugin", samples, "--attacks", "clean,best-of-noise", "--n", "8");
        Assert.True(code == 0, _test.Error);
        Assert.Contains("best-of-noise", _test.Out);
    }

    [Theory]
    [InlineData("nothing.dll", null, "is not there: give the path of an assembly.")]
    [InlineData("text.dll", "no assembly", "give a .NET assembly that was built against this program.")]
    public void AFileThatIsNoPluginIsOneSentence(string name, string? text, string end)
    {
        if (text is not null) _test.Write(name, text);
        Assert.Equal(2, _test.Run("methods", "--plugin", _test.PathOf(name)));
        string line = Assert.Single(_test.Error.TrimEnd().Split('\n'));
        Assert.StartsWith($"rpat: --plugin '{_test.PathOf(name)}' ", line);
        Assert.EndsWith(end, line);
    }

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

/// <summary>An attack for assemblies that the tests make.</summary>
public record FreeAttack : Attack
{
    public override string Settings => "";

    protected internal override Task<AttackResult> Run(Subject subject, AttackPart part) =>
        Task.FromResult(new AttackResult(subject.Image, false, 0, 0));
}
