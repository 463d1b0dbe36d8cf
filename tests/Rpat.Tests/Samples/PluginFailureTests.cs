using System.Reflection;
using Rpat.Models;
using Rpat.Robust.Methods;
using Rpat.Robust.Settings;
using Rpat.Samples.Extensions;
using Rpat.Tests.Robust.Attacks;

namespace Rpat.Tests.Samples;

/// <summary>Mistakes of an author of a plugin: each is one sentence that names the class, and never an internal error.</summary>
public sealed class PluginFailureTests
{
    private static readonly Assembly _here = typeof(PluginFailureTests).Assembly;

    private static readonly (string, object)[] _rest =
        [("Shape", "1x8x8"), ("Classes", 2), ("Images", "1 + 1"), ("Licence", "MIT")];

    [Theory]
    [InlineData(typeof(ThrowingMethod), "failed with InvalidOperationException: no method.")]
    [InlineData(typeof(TwiceMethod), "method it has two settings 'strength': rename one by [Setting(…, Name = \"…\")].")]
    [InlineData(typeof(FixedMethod), "FixedMethod declares Strength as a setting: make the property public, with an init accessor.")]
    [InlineData(typeof(PrivateMethod), "PrivateMethod declares Strength as a setting: make the property public, with an init accessor.")]
    [InlineData(typeof(OddMethod),
        "OddMethod declares Strength as a setting: a setting cannot be a Version, unless its attribute has a Kind.")]
    [InlineData(typeof(BoundlessMethod), "BoundlessMethod declares Strength as a setting: its Min is above its Max.")]
    [InlineData(typeof(NegativeMethod), "declares Strength as a setting: its default is '-5', and it wants a number from 0 to 1000000, such "
        + "as 0.1, 1e-4 or 8/255.")]
    [InlineData(typeof(NoListMethod), "declares Epochs as a setting: give the property a value, which is the default.")]
    [InlineData(typeof(NoTextMethod), "declares Words as a setting: give the property a value, which is the default.")]
    [InlineData(typeof(NullAssumed), "Samples.NullAssumed has null as Assumed: give an empty one for none.")]
    [InlineData(typeof(NullOwn), "Samples.NullOwn has null as OwnModifiers: give an empty one for none.")]
    [InlineData(typeof(AbstractMethod), "derive it from Objective, with a public constructor (PgdOptions) or one without parameters.")]
    public void AMethodIsRefusedInOneSentence(Type type, string end)
    {
        var error = Assert.Throws<ArgumentException>(() => type.IsAbstract
            ? new MethodAttribute("it", "", "") { Attack = "", Terms = "" }.Items(type)
            : Catalog.Register(Emitted.Assembly(type.Name, ("Plugin", type, Emitted.Attribute<MethodAttribute>(["it", "", ""],
                ("Attack", ""), ("Terms", ""))))) as object);
        Assert.EndsWith(end, error.Message);
        if (type == typeof(ThrowingMethod)) Assert.StartsWith("plugin ThrowingMethod: Plugin failed with ", error.Message);
        Assert.Null(MethodCatalog.Find("it"));
    }

    [Theory]
    [InlineData("Plugin", "linf l3", "Plugin is declared for the norm 'l3': give some of linf, l2, l1, separated by spaces.")]
    [InlineData("Plugin`1", "linf", "Plugin`1[T] is generic, and a declaration is of one class: declare one that derives from it.")]
    public void AnAttackIsRefusedInOneSentence(string type, string norms, string sentence) =>
        Assert.Equal(sentence, Assert.Throws<ArgumentException>(() => Catalog.Register(Emitted.Assembly("Refused",
            (type, typeof(FreeAttack), Emitted.Attribute<AttackAttribute>("refused", norms, "-", "own"))))).Message);

    [Fact]
    public void ARowWithoutModifiersIsRefused() => Assert.Equal("modifiers", Assert.Throws<ArgumentNullException>(() =>
        new Rpat.Robust.Methods.MethodInfo(new("row", "", "") { Attack = "", Terms = "" }, _ => new OwnMethod(), null!)).ParamName);

    [Theory]
    [InlineData("base", "an Objective as its base")]
    [InlineData("list", "a list of modifiers, which may be empty")]
    [InlineData("item", "a list of modifiers, which may be empty")]
    public void ARowThatIsMadeOfNullIsRefused(string what, string advice) => Assert.Equal($"method 'row' is made of null: give {advice}.",
        Assert.Throws<ArgumentException>(() => new Rpat.Robust.Methods.MethodInfo(new("row", "", "") { Attack = "", Terms = "" },
            _ => what == "base" ? null! : new OwnMethod(), () => what == "list" ? null! : what == "item" ? [null!] : [])).Message);

    [Theory]
    [InlineData(typeof(AttackAttribute), 1, "norms")]
    [InlineData(typeof(AttackAttribute), 3, "source")]
    [InlineData(typeof(MethodAttribute), 1, "about")]
    [InlineData(typeof(MethodAttribute), 9, "Terms")]
    [InlineData(typeof(DataSetAttribute), 1, "title")]
    [InlineData(typeof(ModelAttribute), 1, "about")]
    public void NullInAnAttributeIsRefused(Type attribute, int at, string name)
    {
        string[] Texts(params string[] all) => [.. all.Select((text, i) => i == at ? null! : text)];
        var (type, made) = attribute == typeof(AttackAttribute)
            ? (typeof(FreeAttack), Emitted.Attribute<AttackAttribute>(Texts("null-it", "linf", "-", "own")))
            : attribute == typeof(DataSetAttribute) ? (typeof(NullSet), Emitted.Attribute<DataSetAttribute>(Texts("null-it", ""), _rest))
            : attribute == typeof(ModelAttribute) ? (typeof(OwnMethod), Emitted.Attribute<ModelAttribute>(Texts("null-it", "")))
            : (typeof(OwnMethod), Emitted.Attribute<MethodAttribute>(Texts("null-it", "", ""),
                ("Attack", ""), ("Terms", at == 9 ? null! : "")));
        Assert.Equal($"Plugin has null as {name} in [{attribute.Name[..^9]}]: give a text, which may be empty.",
            Assert.Throws<ArgumentException>(() => Catalog.Register(Emitted.Assembly("Null", ("Plugin", type, made)))).Message);
    }

    [Theory]
    [InlineData(typeof(ThrowingAttack), "failed with InvalidOperationException: no attack.")]
    [InlineData(typeof(SettinglessAttack), "has null as Settings: give an empty one for none.")]
    public void AnAttackIsMadeOnceWhenItIsRegistered(Type type, string what) => Assert.Equal($"plugin {type.Name}: Plugin {what}",
        Assert.Throws<ArgumentException>(() => Catalog.Register(Emitted.Assembly(type.Name,
            ("Plugin", type, Emitted.Attribute<AttackAttribute>("refused", "linf", "-", "own"))))).Message);

    [Fact]
    public void AnAttackRunsInItsOwnNorms()
    {
        using Device device = Device.Cpu(1);
        var error = Assert.Throws<ArgumentException>(() => Fixture.R(device).Attack(new MiFgsm { Norm = Norm.L2, Eps = 0.5 }));
        Assert.Equal("Attack 'mi-fgsm' does not know the norm l2: see 'rpat attacks'.", error.Message);
        Assert.Throws<ArgumentNullException>(() => Fixture.R(device).Attack(null!));
        Assert.Throws<ArgumentNullException>(() => Catalog.Register(null!));
    }

    [Fact]
    public void ABrokenContractIsSaidOnce()
    {
        var broken = new ContractException(typeof(PluginFailureTests), "does nothing.");
        Assert.Equal($"plugin {_here.GetName().Name}: {typeof(PluginFailureTests)} does nothing.",
            PluginFailure.Of(new AggregateException(broken), _here));
    }

    [Fact]
    public void ADataSetThatIsNotAsDeclaredIsNoted()
    {
        Catalog.Register(Emitted.Assembly("Shapes", ("Flat", typeof(Stripes), Emitted.Attribute<DataSetAttribute>(["flat-stripes", ""],
            ("Shape", "16x16"), ("Classes", 4), ("Images", "400 + 200"), ("Licence", "MIT")))));
        Assert.Equal(["data set 'flat-stripes' is declared as 16x16 with 4 classes, and has 1x16x16 with 4: correct its attribute."],
            DataSets.Open("flat-stripes", null).Notes);
        Assert.Empty(DataSets.Open("stripes", null).Notes);
    }

    [Theory]
    [InlineData("A on CE", true)]
    [InlineData("none", false)]
    public void ADeclaredAttackThatIsNullIsWarnedOf(string declared, bool warns)
    {
        string name = warns ? "tame-at" : "tame-clean";
        Catalog.Register(Emitted.Assembly(name, ("Tame", typeof(OwnMethod), Emitted.Attribute<MethodAttribute>([name, "", ""],
            ("Attack", declared), ("Terms", "")))));
        var config = ConfigResolver.Resolve([Layers.Defaults(), Layers.Sets(["method.name=" + name])]).Config;
        var sentences = SuspectValues.Attack(MethodFactory.Make(config), config).ToList();
        Assert.Equal(warns ? [$"warning: method {name} is declared with the attack '{declared}', and its Attack is null: it trains on "
            + "clean images."] : [], sentences);
    }

    [Fact]
    public void WhatIsPrintedIsReadable()
    {
        Assert.Equal("focal-at (focus=2)", new FocalAt(PgdOptions.Linf).ToString());
        Assert.Equal("x F32 [2, 1]", NamedArray.FromFloats("x", [1, 2], 2, 1).ToString());
        Assert.Equal("x: 2 images 1x1x1 of 3 classes", new LabeledImages("x", 1, 1, 1, [0, 0], [2, 0], null).ToString());
    }

    [Theory]
    [InlineData("two words")]
    [InlineData("")]
    [InlineData("a,b")]
    public void ANameThatIsNoneIsRefused(string name)
    {
        var plugin = Emitted.Assembly("Unnamed",
            ("Plugin", typeof(FreeAttack), Emitted.Attribute<AttackAttribute>(name, "linf", "-", "own")));
        Assert.Equal($"Plugin declares an attack with the name '{name}': give it one of letters, digits and the characters . _ + - :.",
            Assert.Throws<ArgumentException>(() => Catalog.Register(plugin)).Message);
    }

    [Fact]
    public void WhatTheRuntimeWrapsIsUnwrapped()
    {
        var error = Assert.Throws<TargetInvocationException>(() => typeof(BadStart).GetMethod(nameof(BadStart.Touch))!.Invoke(null, []));
        Assert.Equal($"plugin {_here.GetName().Name}: {typeof(BadStart)} failed with InvalidOperationException: a bad start.",
            PluginFailure.Of(error, _here));
        Assert.Null(PluginFailure.Of(error));
    }

    [Fact]
    public void AnAssemblyThatIsNotThereIsNamedWithThePlugin()
    {
        var error = new FileNotFoundException("Could not load", "rpat, Version=1.0.0.0, Culture=neutral, PublicKeyToken=null");
        Assert.Equal($"plugin {_here.GetName().Name} needs the assembly rpat, which is not beside it: copy rpat.dll there, or build "
            + "with CopyLocalLockFileAssemblies.", PluginFailure.Of(error, _here));
    }

    [Fact]
    public void ADataSetsErrorsNameItAndMissingFilesAreDataErrors()
    {
        Catalog.Register(Emitted.Assembly("Files",
            ("Gone", typeof(GoneSet), Emitted.Attribute<DataSetAttribute>(["gone-files", ""], _rest)),
            ("Null", typeof(NullSet), Emitted.Attribute<DataSetAttribute>(["null-set", ""], _rest))));
        Assert.Equal(new ErrorReport("data set 'gone-files': where is it", ExitCode.Data), Report("gone-files"));
        Assert.Equal(new ErrorReport("plugin Files: Null (data set 'null-set') returns no images: return those to train on and those held "
            + "out.", ExitCode.Usage), Report("null-set"));

        static ErrorReport Report(string name) => ErrorReport.Of(Assert.ThrowsAny<Exception>(() => DataSets.Open(name, null)));
    }

    [Fact]
    public void AnExceptionOutOfAPluginsCodeIsNoInternalError()
    {
        using Device device = Device.Cpu(1);
        var error = Assert.Throws<ShapeException>(
            () => new SwishNet(device, new ModelSpec("swish-net", new Shape(1, 1, 16, 16), 4), seed: 1));
        Assert.Equal(new ErrorReport("plugin Rpat.Samples.Extensions: Rpat.Samples.Extensions.SwishNet failed with ShapeException: Conv2d: "
            + "1 inputs, 0 outputs and stride 0 must be at least 1; ModelCatalog.Build fills in the zeros of a ModelSpec; "
            + "--verbose shows where.", ExitCode.Usage),
            ErrorReport.Of(error));
    }

    [Theory]
    [InlineData(typeof(NullAttack), "returns no result: return one AttackResult for each part")]
    [InlineData(typeof(TasklessAttack), "returns no task: return one AttackResult for each part")]
    [InlineData(typeof(ShortAttack), "returns 1 pixels of an image of 192: return the whole image")]
    [InlineData(typeof(PartlessAttack), "has no parts: return one AttackPart at least")]
    [InlineData(typeof(NoPartsAttack), "has no parts: return one AttackPart at least")]
    [InlineData(typeof(InPlaceAttack), "writes into its Subject's Image: change a copy")]
    [InlineData(typeof(NanAttack), "returns a pixel that is not finite")]
    [InlineData(typeof(NanScoreAttack), "returns a score that is no number: return how near it came")]
    [InlineData(typeof(LyingAttack),
        "says that the unchanged image has another class: decide by Subject.Succeeds of the point's logits")]
    [InlineData(typeof(NanQueryAttack), "asks about a point that is not finite")]
    [InlineData(typeof(WaitingAttack), "awaits something else than the network's answers: await only the methods of its Subject")]
    [InlineData(typeof(ThreadAttack), "awaits something else than the network's answers: await only the methods of its Subject")]
    public void AnAttacksMistakeIsOneSentence(Type type, string what)
    {
        Catalog.Register(Emitted.Assembly(type.Name,
            ("Plugin", type, Emitted.Attribute<AttackAttribute>(type.Name, "linf", "-", "own"))));
        using Device device = Device.Cpu(1);
        Fixture fixture = Fixture.R(device);
        Attack attack = AttackCatalog.Find(type.Name, Norm.Linf, 0.1, 10)!.Attacks[0];
        var error = Assert.ThrowsAny<Exception>(() => fixture.Attack(attack));
        Assert.Equal(new ErrorReport($"{type} (attack '{type.Name}') {what}.", ExitCode.Usage), ErrorReport.Of(error));
    }
}
