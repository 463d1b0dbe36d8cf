namespace Rpat.Robust.Attacks;

/// <summary>
/// One full-length step (attacks.md 1.1): FGSM, box(x + ε·sign g), for L∞ (Goodfellow et al., ICLR'15); FGM, box(x + ε·g/‖g‖₂), for L2.
/// </summary>
public sealed record Fgsm : Attack
{
    /// <inheritdoc/>
    public override string Name => Norm == Norm.Linf ? "fgsm" : "fgm";

    /// <inheritdoc/>
    public override string Settings => Text($"loss={Loss.Name}");

    /// <summary>The loss to maximise.</summary>
    public AttackLoss Loss { get; init => field = InputCheck.Given(value); } = AttackLoss.CrossEntropy;

    internal override int Id => 1;

    /// <inheritdoc/>
    protected internal override async Task<AttackResult> Run(Subject subject, AttackPart part)
    {
        float[] start = OwnStart(subject, part) ?? subject.Image;
        var at = await subject.Gradient(start, Loss);
        float[] u = Ball.Ascend(start, at.Gradient, Eps);
        Ball.Project(subject.Image, u, Eps);
        float[] z = (await subject.Logits(u)).Logits;
        return new AttackResult(u, subject.Succeeds(z), -subject.Margin(z), 0);
    }
}
