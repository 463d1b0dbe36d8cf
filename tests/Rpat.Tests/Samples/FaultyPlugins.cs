using System.Reflection;
using Rpat.Models;
using Rpat.Robust.Methods;
using Rpat.Robust.Settings;
using Rpat.Samples.Extensions;
using Rpat.Tests.Robust.Attacks;

namespace Rpat.Tests.Samples;

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

public record NoTextMethod : OwnMethod
{
    [Setting("no text")]
    public string Words { get; init; } = null!;
}

public record NullAssumed : OwnMethod
{
    public override IReadOnlyList<Assumption> Assumed => null!;
}

public record NullOwn : OwnMethod
{
    protected internal override IReadOnlyList<Modifier> OwnModifiers => null!;
}

public record ThrowingAttack : FreeAttack
{
    public ThrowingAttack() => throw new InvalidOperationException("no attack");
}

public record SettinglessAttack : FreeAttack
{
    public override string Settings => null!;
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
