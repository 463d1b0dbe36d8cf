namespace Rpat.Robust.Attacks;

/// <summary>Which point of a run an attack returns.</summary>
public enum Keep
{
    /// <summary>The last iterate, successful or not: what training papers report as PGD-20.</summary>
    Last,

    /// <summary>The iterate of largest loss, the start included.</summary>
    BestLoss,

    /// <summary>
    /// The first misclassified iterate, which ends the run; the last one if there is none. Stronger, and cheaper. If the model is random
    /// one misclassification proves little: then the run takes all its steps and returns the latest such iterate.
    /// </summary>
    AnyMisclassified,
}

/// <summary>
/// Projected gradient descent (Madry et al., ICLR'18; attacks.md 1.3) for evaluation: start, then gradient, step, project. With other
/// settings it is BIM (no random start), and CW-L∞ (margin loss). <see cref="Pgd"/> is the same loop for training, on the device.
/// </summary>
public sealed record PgdAttack : Attack
{
    private readonly double? _stepSize;

    /// <summary>BIM (Kurakin et al., 2017): PGD from the image itself (attacks.md 1.4).</summary>
    public static PgdAttack Bim { get; } = new() { Title = "bim", RandomStart = false };

    /// <summary>"CW" of adversarial-training papers: 20 of PGD's steps on the margin, any misclassified iterate (attacks.md 1.5).</summary>
    public static PgdAttack CwLinf { get; } = new()
    { Title = "cw-linf", Loss = AttackLoss.Margin, Steps = 20, Keep = Keep.AnyMisclassified };

    /// <summary>The L2 attack of RPAT's benchmarks: ε 128/255, step 15/255, 10 steps.</summary>
    public static PgdAttack L2 { get; } = new() { Norm = Norm.L2, Eps = 128 / 255.0 };

    /// <inheritdoc/>
    public override string Name => Title ?? $"pgd{Steps}";

    /// <summary>The name of a special combination of settings.</summary>
    public string? Title { get; init; }

    /// <inheritdoc/>
    public override string Settings =>
        Text($"loss={Loss.Name} steps={Steps} step={StepSize:R} restarts={Restarts} start={(RandomStart ? "random" : "image")} ")
        + Text($"keep={Keep} draws={Draws}");

    /// <summary>The loss to maximise.</summary>
    public AttackLoss Loss { get; init => field = InputCheck.Given(value); } = AttackLoss.CrossEntropy;

    /// <summary>Length of a step; unless given, ε/4 for L∞ and 15/128·ε for other norms.</summary>
    public double StepSize { get => _stepSize ?? Norm.StepOf(Eps); init => _stepSize = value; }

    internal override double? StepLength => StepSize;

    /// <summary>Gradient steps.</summary>
    /// <exception cref="ArgumentException">It is below 1.</exception>
    public int Steps { get; init => field = InputCheck.FromOne(value); } = 10;

    /// <summary>Start at a random point of the ball instead of at the image.</summary>
    public bool RandomStart { get; init; } = true;

    /// <summary>Which point is returned.</summary>
    public Keep Keep { get; init; } = Keep.Last;

    /// <summary>Gradients averaged in each step where the model is random (EoT).</summary>
    public int Draws { get; init => field = InputCheck.Draws(value); } = 1;

    // In an evaluation, training's PGD draws its starts from epoch 0: the same numbers as id 0 gives.
    internal override int Id => 0;

    /// <inheritdoc/>
    public override long Cost(int classes) => 3L * Steps * Draws + 1;

    /// <inheritdoc/>
    protected internal override async Task<AttackResult> Run(Subject subject, AttackPart part)
    {
        float[] u = Begin(subject, part), best = u;
        var (bestLoss, bestAt) = (double.NegativeInfinity, -1);
        AttackResult? wrong = null;
        for (int i = 0; i < Steps; i++)
        {
            var at = await subject.Gradient(u, Loss, draws: Draws);
            subject.Tell("loss", i, at.Loss);
            if (Keep == Keep.AnyMisclassified && subject.Succeeds(at.Logits))
            {
                wrong = new AttackResult(u, true, -subject.Margin(at.Logits), i);
                if (!subject.IsRandom) return wrong;
            }
            if (at.Loss > bestLoss) (best, bestLoss, bestAt) = (u, at.Loss, i);
            u = Ball.Ascend(u, at.Gradient, StepSize);
            Ball.Project(subject.Image, u, Eps);
        }
        var end = await subject.Logits(u);
        double loss = LossAt(subject, end.Logits);
        subject.Tell("loss", Steps, loss);
        if (wrong is not null && !subject.Succeeds(end.Logits)) return wrong;
        if (Keep != Keep.BestLoss || loss > bestLoss) return new AttackResult(u, subject.Succeeds(end.Logits), loss, Steps);
        float[] z = (await subject.Logits(best)).Logits;
        return new AttackResult(best, subject.Succeeds(z), bestLoss, bestAt);
    }

    private float[] Begin(Subject s, AttackPart part) =>
        OwnStart(s, part) ?? (RandomStart ? Ball.InBall(s.Image, Eps, s.Random(this, part)) : s.Image);

    private double LossAt(Subject s, float[] logits) => Loss.Evaluate(
        new LossInput { Logits = logits, Clean = s.Clean, Label = s.Label, Target = s.Goal ?? -1 }, new float[logits.Length]);
}
