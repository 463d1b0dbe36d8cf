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
            + "1 inputs, 0 outputs and stride 0 must be at least 1; ModelCatalog.Build fills in the zeros of a ModelSpec.", ExitCode.Usage),
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

/// <summary>A class whose static initializer fails.</summary>
internal static class BadStart
{
    private static readonly int _value = Value();

    public static int Touch() => _value;

    private static int Value() => throw new InvalidOperationException("a bad start");
}

public record OwnMethod : Objective
{
    public override PgdOptions? Attack => null;

    public override Loss Loss(ViewLogits v) => v.CrossEntropy(v.Clean);
}

public record ThrowingMethod : OwnMethod
{
    public ThrowingMethod() => throw new InvalidOperationException("no method");
}

public record TwiceMethod : OwnMethod
{
    [Setting("one")]
    public float Strength { get; init; }

    [Setting("another", Name = "strength")]
    public float Other { get; init; }
}

public record FixedMethod : OwnMethod
{
    [Setting("no accessor")]
    public float Strength { get; } = 1;
}

public record OddMethod : OwnMethod
{
    [Setting("no kind")]
    public Version Strength { get; init; } = new();
}

public record PrivateMethod : OwnMethod
{
    [Setting("seen by nobody")]
    protected float Strength { get; init; } = 1;
}

public record BoundlessMethod : OwnMethod
{
    [Setting("no bounds", Min = 2, Max = 1)]
    public float Strength { get; init; } = 2;
}

public record NegativeMethod : OwnMethod
{
    [Setting("out of bounds")]
    public float Strength { get; init; } = -5;
}

public record NoListMethod : OwnMethod
{
    [Setting("no list")]
    public IReadOnlyList<int> Epochs { get; init; } = null!;
}

public abstract record AbstractMethod : OwnMethod;

public class GoneSet : IDataSet
{
    public (LabeledImages Train, LabeledImages Test) Open(string folder) => throw new FileNotFoundException("where is it");
}

public class NullSet : IDataSet
{
    public (LabeledImages Train, LabeledImages Test) Open(string folder) => (null!, null!);
}

public record NullAttack : FreeAttack
{
    protected internal override Task<AttackResult> Run(Subject subject, AttackPart part) => Task.FromResult<AttackResult>(null!);
}

public record InPlaceAttack : FreeAttack
{
    protected internal override async Task<AttackResult> Run(Subject subject, AttackPart part)
    {
        subject.Image.AsSpan().Fill(0.5f);
        return new(subject.Image, subject.Succeeds((await subject.Logits(subject.Image)).Logits), 0, 0);
    }
}

public record NanAttack : FreeAttack
{
    protected internal override Task<AttackResult> Run(Subject subject, AttackPart part) =>
        Task.FromResult(new AttackResult([.. subject.Image.Select(_ => float.NaN)], false, 0, 0));
}

public record TasklessAttack : FreeAttack
{
    protected internal override Task<AttackResult> Run(Subject subject, AttackPart part) => null!;
}

public record ShortAttack : FreeAttack
{
    protected internal override Task<AttackResult> Run(Subject subject, AttackPart part) =>
        Task.FromResult(new AttackResult([0], true, 0, 0));
}

public record PartlessAttack : FreeAttack
{
    public override IReadOnlyList<AttackPart> Parts(int classes) => [];
}

public record NoPartsAttack : FreeAttack
{
    public override IReadOnlyList<AttackPart> Parts(int classes) => null!;
}

public record NanScoreAttack : FreeAttack
{
    protected internal override Task<AttackResult> Run(Subject subject, AttackPart part) =>
        Task.FromResult(new AttackResult(subject.Image, false, double.NaN, 0));
}

public record LyingAttack : FreeAttack
{
    protected internal override Task<AttackResult> Run(Subject subject, AttackPart part) =>
        Task.FromResult(new AttackResult(subject.Image, true, 0, 0));
}

public record NanQueryAttack : FreeAttack
{
    protected internal override async Task<AttackResult> Run(Subject subject, AttackPart part)
    {
        await subject.Logits([.. subject.Image.Select(_ => float.NaN)]);
        return await base.Run(subject, part);
    }
}

public record ThreadAttack : FreeAttack
{
    protected internal override Task<AttackResult> Run(Subject subject, AttackPart part) => Task.Run(async () =>
    {
        await subject.Logits(subject.Image);
        return await base.Run(subject, part);
    });
}

public record WaitingAttack : FreeAttack
{
    protected internal override async Task<AttackResult> Run(Subject subject, AttackPart part)
    {
        await Task.Delay(1);
        return await base.Run(subject, part);
    }
}
