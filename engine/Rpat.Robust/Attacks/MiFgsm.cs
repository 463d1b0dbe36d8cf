namespace Rpat.Robust.Attacks;

/// <summary>
/// MI-FGSM (Dong et al., CVPR'18; attacks.md 1.4), L∞: BIM along a running sum G ← decay·G + g/mean|g| of gradients, each
/// normalised per image.
/// </summary>
public sealed record MiFgsm : Attack
{
    private readonly double? _stepSize;

    /// <inheritdoc/>
    public override string Name => "mi-fgsm";

    /// <inheritdoc/>
    public override string Settings => Text($"loss={Loss.Name} steps={Steps} step={StepSize:R} decay={Decay:R}");

    /// <summary>Length of a step.</summary>
    public double StepSize { get => _stepSize ?? Norm.StepOf(Eps); init => _stepSize = value; }

    internal override double? StepLength => StepSize;

    /// <summary>Gradient steps.</summary>
    public int Steps { get; init => field = InputCheck.FromOne(value); } = 10;

    /// <summary>The factor of the sum before each addition.</summary>
    public double Decay { get; init => field = InputCheck.Between(0, InputCheck.Large, value); } = 1;

    /// <summary>The loss to maximise.</summary>
    public AttackLoss Loss { get; init => field = InputCheck.Given(value); } = AttackLoss.CrossEntropy;

    internal override int Id => 4;

    /// <inheritdoc/>
    public override long Cost(int classes) => 3L * Steps + 1;

    /// <inheritdoc/>
    protected internal override async Task<AttackResult> Run(Subject subject, AttackPart part)
    {
        float[] u = OwnStart(subject, part) ?? subject.Image, sum = new float[u.Length];
        for (int i = 0; i < Steps; i++)
        {
            var at = await subject.Gradient(u, Loss);
            subject.Tell("loss", i, at.Loss);
            Accumulate(sum, at.Gradient);
            u = NormGeometry.Linf.Ascend(u, sum, StepSize);
            NormGeometry.Linf.Project(subject.Image, u, Eps);
        }
        float[] z = (await subject.Logits(u)).Logits;
        return new AttackResult(u, subject.Succeeds(z), -subject.Margin(z), Steps);
    }

    private void Accumulate(float[] sum, float[] g)
    {
        double mean = NormGeometry.Linf.Dual(g) / g.Length, scale = mean > 0 ? 1 / mean : 0;
        for (int i = 0; i < g.Length; i++) sum[i] = (float)(Decay * sum[i] + scale * g[i]);
    }
}
