using Rpat.Robust.Losses;

namespace Rpat.Robust.Attacks;

/// <summary>What the attack in training maximises, recorded from the same terms as a method's loss (methods.md 7.1).</summary>
public abstract record InnerLoss
{
    /// <summary>Cross-entropy with the batch's targets, hard or soft.</summary>
    public static InnerLoss CrossEntropy { get; } = new InnerCrossEntropy();

    /// <summary>KL(p(x) ‖ p(x′)), p(x) a constant (TRADES).</summary>
    public static InnerLoss Kl { get; } = new InnerKl();

    /// <summary>KL(p_T(x′) ‖ p(x′)), T a frozen teacher, with the gradient through both networks (AdaAD; methods.md 4.14).</summary>
    /// <param name="teacher">The method's name for it (<see cref="Objective.Teachers"/>).</param>
    public static InnerLoss FromTeacher(string teacher) => new InnerTeacher(teacher);

    /// <summary>Soft logit margin (MMA).</summary>
    public static InnerLoss SoftMargin { get; } = new InnerSoftMargin();

    /// <summary>Name in reports.</summary>
    public abstract string Name { get; }

    /// <summary>Records the loss of a batch, summed over it.</summary>
    public abstract Loss Record(InnerViews views);
}

/// <summary>What an attack's loss may use.</summary>
public sealed class InnerViews
{
    private readonly Lazy<Tensor> _clean;
    private readonly Lazy<Tensor> _history;
    private readonly ScheduledTerms _schedule;

    internal InnerViews(Tape tape, Tensor logits, Labels labels, Tensor? targets, Lazy<Tensor> clean, Lazy<Tensor> history,
        ScheduledTerms schedule)
    {
        (Tape, Logits, Labels, Targets, _clean, _history, _schedule) = (tape, logits, labels, targets, clean, history, schedule);
    }

    /// <summary>Where the loss is recorded.</summary>
    public Tape Tape { get; }

    /// <summary>z(x′) <c>[N, K]</c>.</summary>
    public Tensor Logits { get; }

    /// <summary>True classes.</summary>
    public Labels Labels { get; }

    /// <summary>Target probabilities <c>[N, K]</c>, or null when the targets are the classes.</summary>
    public Tensor? Targets { get; }

    /// <summary>z(x) <c>[N, K]</c>, computed once before the attack, in its batch-norm mode.</summary>
    public Tensor Clean => _clean.Value;

    /// <summary>Stored probabilities of the images (TE).</summary>
    public Tensor History => _history.Value;

    /// <summary>z_T(x′) <c>[N, K]</c> of a frozen teacher, whose gradient reaches x′.</summary>
    public Tensor Teacher(string name) => Teachers(name);

    internal Func<string, Tensor> Teachers { private get; init; } =
        name => throw new InvalidOperationException($"This attack has no teacher '{name}'.");

    /// <summary>A loss times a coefficient that may change during the run.</summary>
    public Loss Times(Coefficient coefficient, Loss loss) => _schedule.Add(coefficient, loss);
}

internal sealed record InnerCrossEntropy : InnerLoss
{
    public override string Name => "ce";

    public override Loss Record(InnerViews v) => v.Targets is { } targets
        ? v.Tape.RowLoss("ce", new SoftCrossEntropy(), v.Logits, new() { Second = targets, Detach = true, Reduction = Reduction.Sum })
        : v.Tape.CrossEntropy(v.Logits, v.Labels, Reduction.Sum);
}

internal sealed record InnerKl : InnerLoss
{
    public override string Name => "kl";

    public override Loss Record(InnerViews v) => v.Tape.KlDivergence(v.Clean, v.Logits, detachTarget: true, Reduction.Sum);
}

internal sealed record InnerTeacher(string Teacher) : InnerLoss
{
    public override string Name => "teacher-kl";

    public override Loss Record(InnerViews v) => v.Tape.KlDivergence(v.Teacher(Teacher), v.Logits, reduction: Reduction.Sum);
}

internal sealed record InnerSoftMargin : InnerLoss
{
    public override string Name => "soft-margin";

    public override Loss Record(InnerViews v) =>
        v.Tape.RowLoss("margin", new SoftMargin(), v.Logits, new() { Labels = v.Labels, Reduction = Reduction.Sum });
}

/// <summary>Another loss + w·mean_k (p_k − t_k)² with the stored probabilities of the images (TE; methods.md 4.8).</summary>
/// <param name="Other">The other loss: cross-entropy, or the divergence of TRADES.</param>
/// <param name="Scale">The factor of the other loss: 1, or β of TRADES.</param>
public sealed record MemorizationLoss(Coefficient Weight, InnerLoss Other, float Scale = 1) : InnerLoss
{
    /// <inheritdoc/>
    public override string Name => Other.Name + "+memory";

    /// <inheritdoc/>
    public override Loss Record(InnerViews v) => Scale * Other.Record(v) + v.Times(Weight, v.Tape.RowLoss(
        "memory", new SquaredProbability(), v.Logits, new() { Second = v.History, Detach = true, Reduction = Reduction.Sum }));
}
