namespace Rpat.Robust.Attacks;

/// <summary>
/// DeepFool (Moosavi-Dezfooli et al., CVPR'16; attacks.md 1.7): accumulates moves to the nearest linearised boundary. It has no radius:
/// it estimates the smallest perturbation, which counts when it is at most ε.
/// </summary>
public sealed record DeepFool : Attack
{
    private const double Guard = 1e-8, Beyond = 1e-4;

    /// <inheritdoc/>
    public override string Name => "deepfool";

    /// <inheritdoc/>
    public override bool FindsNearest => true;

    /// <inheritdoc/>
    public override string Settings => Text($"steps={Steps} overshoot={Overshoot:R} candidates={Candidates}");

    /// <summary>Maximum iterations.</summary>
    public int Steps { get; init => field = InputCheck.FromOne(value); } = 50;

    /// <summary>Fraction by which the sum of moves is lengthened.</summary>
    public double Overshoot { get; init => field = InputCheck.Between(0, InputCheck.Large, value); } = 0.02;

    /// <summary>Number of classes considered, those with the largest clean logits, the true one included.</summary>
    public int Candidates { get; init => field = InputCheck.AtLeast(2, value); } = 10;

    internal override bool TakesStart => false;

    internal override int Id => 30;

    /// <inheritdoc/>
    public override long Cost(int classes) => 3L * Steps * (Math.Min(Candidates, classes) - 1);

    /// <inheritdoc/>
    protected internal override async Task<AttackResult> Run(Subject subject, AttackPart part)
    {
        float[] x = subject.Image, u = x;
        var sum = new double[x.Length];
        int[] others = subject.Goal is { } goal ? [goal]
            : [.. Subject.Ranking(subject.Clean).Take(Candidates).Where(k => k != subject.Label)];
        int i = 0;
        for (; i < Steps && !subject.Succeeds((await subject.Logits(u)).Logits); i++)
        {
            Add(sum, await Plane.Nearest(subject, u, others, Ball, Guard));
            u = new float[x.Length];
            for (int j = 0; j < u.Length; j++) u[j] = (float)Math.Clamp(x[j] + (1 + Overshoot) * sum[j], 0, 1);
        }
        bool fooled = subject.Succeeds((await subject.Logits(u)).Logits);
        double norm = Ball.Distance(u, x);
        subject.Tell("norm", i, norm);
        return new AttackResult(u, fooled && !(norm > Eps), fooled ? -norm : double.NegativeInfinity, i);
    }

    private void Add(double[] sum, Plane nearest)
    {
        var (w, d) = (nearest.Normal, nearest.Distance + Beyond);
        double rate = Norm == Norm.Linf ? 0 : d / (Ball.Length(w) + Guard);
        for (int j = 0; j < sum.Length; j++) sum[j] += Norm == Norm.Linf ? d * Math.Sign(w[j]) : rate * w[j];
    }
}
