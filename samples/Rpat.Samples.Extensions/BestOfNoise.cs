using Rpat.Robust.Attacks;

namespace Rpat.Samples.Extensions;

/// <summary>The random point of the ball with the smallest margin: a baseline that an attack must beat.</summary>
[Attack("best-of-noise", "linf l2", "20 random points of the ball; the smallest margin counts", "own")]
public sealed record BestOfNoise : Attack
{
    public int Points { get; init; } = 20;

    public override string Settings => Text($"points={Points}");

    public override long Cost(int classes) => Points;

    protected override async Task<AttackResult> Run(Subject subject, AttackPart part)
    {
        var best = new AttackResult(subject.Image, Fooled: false, double.NegativeInfinity, Iteration: 0);
        for (int i = 0; i < Points && !best.Fooled; i++)
        {
            float[] point = Ball.InBall(subject.Image, Eps, subject.Random(this, part, iteration: i));
            Ball.Project(subject.Image, point, Eps);
            float[] logits = (await subject.Logits(point)).Logits;
            double score = -subject.Margin(logits);
            if (score > best.Score) best = new AttackResult(point, subject.Succeeds(logits), score, i);
        }
        return best;
    }
}
