using Rpat.Robust.Modifiers;
using Rpat.Robust.Settings;

namespace Rpat.Robust.Methods;

/// <summary>
/// KD+SWA (ICLR'21; methods.md 4.5): CE(x′) and distillation from a clean and a robust teacher at x′, with stochastic weight averaging.
/// </summary>
[Method("kd-swa", "distillation from a clean and a robust teacher, with stochastic weight averaging",
    "Chen et al., ICLR'21; methods.md 4.5",
    Attack = "A on CE, training mode", Terms = "own CE(x') + clean KD(teacher 1) + robust KD(teacher 2)",
    Nets = "two frozen teachers; mean of the epochs' weights, reported")]
public sealed record KdSwa(PgdOptions Pgd) : Objective
{
    private const string CleanTeacher = "clean", RobustTeacher = "robust";

    /// <summary>Weight of the cross-entropy.</summary>
    [Setting("weight of the cross-entropy", Source = "official code")]
    public float Own { get; init; } = 0.3f;

    /// <summary>Weight of the clean teacher.</summary>
    [Setting("weight of the clean teacher", Source = "official code")]
    public float Clean { get; init; } = 0.1f;

    /// <summary>Weight of the robust teacher.</summary>
    [Setting("weight of the robust teacher", Source = "official code")]
    public float Robust { get; init; } = 0.6f;

    /// <summary>τ.</summary>
    [Setting("temperature of the teachers", Source = "official code", Min = 1e-3, Max = 1000)]
    public float Temperature { get; init; } = 2;

    /// <summary>First epoch, counted from 1, that is averaged.</summary>
    [Setting("first epoch that is averaged, counted from 1", Source = "official code: 55, counted from 0", Min = 1,
        Without = "distillation without an average")]
    public int Start { get; init; } = 56;

    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd.G(InnerLoss.CrossEntropy);

    /// <inheritdoc/>
    protected internal override IReadOnlyList<Modifier> OwnModifiers => [new SwaAveraging(Start)];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Teachers =>
        [.. new[] { (CleanTeacher, Clean), (RobustTeacher, Robust) }.Where(t => t.Item2 != 0).Select(t => t.Item1)];

    /// <inheritdoc/>
    public override Loss Loss(ViewLogits v)
    {
        var loss = Own * v.CrossEntropy(v.Adversarial, v.SampleWeights);
        if (Clean != 0) loss += Clean * v.DistillAt(Temperature, v.Teacher(CleanTeacher).Adversarial, v.Adversarial);
        if (Robust != 0) loss += Robust * v.DistillAt(Temperature, v.Teacher(RobustTeacher).Adversarial, v.Adversarial);
        return loss;
    }
}
