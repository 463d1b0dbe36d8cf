namespace Rpat.Robust.Attacks;

/// <summary>What a loss may use: one image's logits, its class, and what else the attack has.</summary>
public readonly ref struct LossInput
{
    /// <summary>Logits <c>[K]</c> at the point.</summary>
    public required ReadOnlySpan<float> Logits { get; init; }

    /// <summary>Logits <c>[K]</c> at the clean image.</summary>
    public required ReadOnlySpan<float> Clean { get; init; }

    /// <summary>True class.</summary>
    public required int Label { get; init; }

    /// <summary>The attack's target class, or −1: any but the true one.</summary>
    public required int Target { get; init; }
}

/// <summary>
/// A loss that an attacker maximises, with its gradient with respect to the logits (attacks.md section 1 and 2.3). It is a function of
/// one row of logits on the host (mostly an <see cref="IRowLoss"/>), so your own loss is a subclass, and images of one batch may be
/// attacked with different losses.
/// </summary>
public abstract record AttackLoss
{
    /// <summary>−log softmax(z)_y, or +log softmax(z)_t with a target.</summary>
    public static AttackLoss CrossEntropy { get; } = new CrossEntropyLoss();

    /// <summary>max_{k≠y} z_k − z_y, or z_t − max_{k≠t} z_k with a target (Carlini and Wagner).</summary>
    public static AttackLoss Margin { get; } = new MarginLoss();

    /// <summary>Difference-of-logits ratio; its targeted variant with a target (Croce and Hein, ICML'20; attacks.md 2.3).</summary>
    public static AttackLoss Dlr { get; } = new DlrLoss();

    /// <summary>KL(softmax(z(x)) ‖ softmax(z)): the attack inside TRADES. Its gradient at x itself is zero.</summary>
    public static AttackLoss Kl { get; } = new KlLoss();

    /// <summary>z_t − z_y: the distance to one decision boundary.</summary>
    public static AttackLoss Gap { get; } = new GapLoss();

    /// <summary>Name in options and reports.</summary>
    public abstract string Name { get; }

    /// <summary>The value at one row, in double, and its gradient.</summary>
    /// <param name="gradient">Receives ∂/∂z <c>[K]</c>; every entry must be written.</param>
    public abstract double Evaluate(in LossInput input, Span<float> gradient);

    /// <summary>The loss of that name.</summary>
    /// <exception cref="ArgumentException">There is no such loss.</exception>
    public static AttackLoss Parse(string name) => name switch
    {
        "ce" => CrossEntropy,
        "margin" => Margin,
        "dlr" => Dlr,
        "kl" => Kl,
        _ => throw new ArgumentException($"Loss '{name}' is unknown: use ce, margin, dlr or kl."),
    };
}

internal sealed record CrossEntropyLoss : AttackLoss
{
    public override string Name => "ce";

    public override double Evaluate(in LossInput input, Span<float> gradient)
    {
        double value = new Engine.Ops.Losses.CrossEntropy().Evaluate(input.Logits, [], input.Target >= 0 ? input.Target : input.Label,
            gradient);
        if (input.Target < 0) return value;
        foreach (ref float slope in gradient) slope = -slope;
        return -value;
    }
}

internal sealed record MarginLoss : AttackLoss
{
    public override string Name => "margin";

    public override double Evaluate(in LossInput input, Span<float> gradient) =>
        new Losses.Margin(input.Target).Evaluate(input.Logits, [], input.Label, gradient);
}

internal sealed record DlrLoss : AttackLoss
{
    public override string Name => "dlr";

    public override double Evaluate(in LossInput input, Span<float> gradient) =>
        new Losses.Dlr(input.Target).Evaluate(input.Logits, [], input.Label, gradient);
}

internal sealed record KlLoss : AttackLoss
{
    public override string Name => "kl";

    public override double Evaluate(in LossInput input, Span<float> gradient) =>
        new KlDivergence(1).Evaluate(input.Logits, input.Clean, input.Label, gradient);
}

internal sealed record GapLoss : AttackLoss
{
    public override string Name => "gap";

    public override double Evaluate(in LossInput input, Span<float> gradient)
    {
        gradient.Clear();
        (gradient[input.Target], gradient[input.Label]) = (1, -1);
        return (double)input.Logits[input.Target] - input.Logits[input.Label];
    }
}
