namespace Rpat.Robust.Attacks;

/// <summary>
/// R+FGSM as first defined (Tramèr et al., ICLR'18; attacks.md 1.2), L∞: x′ = box(x + a·sign n), n normal, then one step with the
/// rest of the radius, box(x′ + (ε − a)·sign g). torchattacks uses the same name for PGD from such a start: that is not this.
/// </summary>
public sealed record RandomFgsm : Attack
{
    /// <inheritdoc/>
    public override string Name => "r+fgsm";

    /// <inheritdoc/>
    public override string Settings => Text($"loss={Loss.Name} share={Share}");

    /// <summary>The random part a of the radius, as a share of ε.</summary>
    public double Share { get; init => field = InputCheck.Between(0, 1, value); } = 0.5;

    /// <summary>The loss to maximise.</summary>
    public AttackLoss Loss { get; init => field = InputCheck.Given(value); } = AttackLoss.CrossEntropy;

    internal override int Id => 2;

    /// <inheritdoc/>
    protected internal override async Task<AttackResult> Run(Subject subject, AttackPart part)
    {
        float[] start = OwnStart(subject, part) ?? Scattered(subject, part);
        var at = await subject.Gradient(start, Loss);
        float[] u = NormGeometry.Linf.Ascend(start, at.Gradient, (1 - Share) * Eps);
        NormGeometry.Linf.Project(subject.Image, u, Eps); // the box; the radius is kept by construction
        float[] z = (await subject.Logits(u)).Logits;
        return new AttackResult(u, subject.Succeeds(z), -subject.Margin(z), 0);
    }

    private float[] Scattered(Subject subject, AttackPart part)
    {
        var n = new float[subject.Image.Length];
        subject.Random(this, part).FillNormal(n);
        float[] start = NormGeometry.Linf.Ascend(subject.Image, n, Share * Eps);
        NormGeometry.Box(start);
        return start;
    }
}

/// <summary>
/// The attack of "fast" adversarial training (Wong et al., ICLR'20; attacks.md 1.2), L∞: a uniform start in the cube, one step of
/// length α, projection onto the cube.
/// </summary>
public sealed record FastFgsm : Attack
{
    private readonly double? _stepSize;

    /// <inheritdoc/>
    public override string Name => "ffgsm";

    /// <inheritdoc/>
    public override string Settings => Text($"loss={Loss.Name} step={StepSize:R}");

    /// <summary>Length of the step, α.</summary>
    public double StepSize { get => _stepSize ?? 1.25 * Eps; init => _stepSize = value; }

    internal override double? StepLength => StepSize;

    /// <summary>The loss to maximise.</summary>
    public AttackLoss Loss { get; init => field = InputCheck.Given(value); } = AttackLoss.CrossEntropy;

    internal override int Id => 3;

    /// <inheritdoc/>
    protected internal override async Task<AttackResult> Run(Subject subject, AttackPart part)
    {
        float[] start = OwnStart(subject, part) ?? NormGeometry.Linf.InBall(subject.Image, Eps, subject.Random(this, part));
        var at = await subject.Gradient(start, Loss);
        float[] u = NormGeometry.Linf.Ascend(start, at.Gradient, StepSize);
        NormGeometry.Linf.Project(subject.Image, u, Eps);
        float[] z = (await subject.Logits(u)).Logits;
        return new AttackResult(u, subject.Succeeds(z), -subject.Margin(z), 0);
    }
}
