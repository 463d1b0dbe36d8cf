namespace Rpat.Robust.Attacks;

/// <summary>
/// FAB, the fast adaptive boundary attack (Croce and Hein, ICML'20; attacks.md 2.4): searches for the nearest misclassified point by moving
/// to the linearised decision boundary, with a bias to the image, and back. With <see cref="Targets"/> it is FAB-T, which linearises
/// one boundary per iteration instead of all. The radius matters only to random starts and to whether the result counts.
/// </summary>
public sealed record Fab : Attack
{
    private const double NotFound = 1e10, Guard = 1e-12, LeastMove = 1e-8;

    /// <summary>FAB-T with AutoAttack's nine targets (fewer with fewer classes).</summary>
    public static Fab Targeted { get; } = new() { Targets = 9 };

    /// <inheritdoc/>
    public override string Name => Targets > 0 ? "fab-t" : "fab";

    /// <inheritdoc/>
    public override bool FindsNearest => true;

    /// <inheritdoc/>
    public override string Settings =>
        Text($"steps={Steps} restarts={Restarts} targets={Targets} alpha={AlphaMax:R} eta={Eta:R} beta={Beta:R}");

    /// <summary>Iterations.</summary>
    public int Steps { get; init => field = InputCheck.FromOne(value); } = 100;

    /// <summary>How many classes to target, from the runner-up on; 0 considers all boundaries in each iteration.</summary>
    public int Targets { get; init; }

    /// <summary>Largest bias to the image, α_max.</summary>
    public double AlphaMax { get; init => field = InputCheck.Between(0, 1, value); } = 0.1;

    /// <summary>Overshoot beyond the boundary, η.</summary>
    public double Eta { get; init => field = InputCheck.Between(0, InputCheck.Large, value, open: true); } = 1.05;

    /// <summary>A found point is moved back to this share of its distance from the image, β.</summary>
    public double Beta { get; init => field = InputCheck.Between(0, 1, value); } = 0.9;

    internal override int Id => Targets > 0 ? 21 : 20;

    /// <inheritdoc/>
    public override IReadOnlyList<AttackPart> Parts(int classes) =>
        Targets > 0 ? TargetedParts(Targets, Restarts, classes) : base.Parts(classes);

    /// <inheritdoc/>
    public override long Cost(int classes) => Steps * (1L + 3 * (Targets > 0 ? 1 : classes - 1));

    /// <inheritdoc/>
    protected internal override async Task<AttackResult> Run(Subject subject, AttackPart part)
    {
        float[] clean = (await subject.Logits(subject.Image)).Logits;
        int[] candidates = Candidates(subject, clean, part);
        if (part.Rank > 0) await subject.Logits(subject.Image); // the reference evaluates twice: once for correctness, once for the ranks
        float[] x = subject.Image, u = Begin(subject, part), found = x;
        var (least, foundAt) = (NotFound, -1);
        for (int i = 0; i < Steps; i++)
        {
            var plane = await Plane.Nearest(subject, u, candidates, Ball, Guard);
            subject.Tell("gap", i, plane.Gap);
            u = Move(x, u, plane);
            float[] z = (await subject.Logits(u)).Logits;
            if (!subject.Succeeds(z)) continue;
            double norm = Ball.Distance(u, x);
            if (norm < least) (least, found, foundAt) = (norm, u, i);
            subject.Tell("norm", i, least);
            u = Back(x, u);
        }
        bool wrong = subject.Succeeds((await subject.Logits(found)).Logits);
        return new AttackResult(found, wrong && !(least > Eps), -least, foundAt);
    }

    private static int[] Candidates(Subject s, float[] clean, AttackPart part) =>
        s.Goal is { } goal ? [goal]
        : part.Rank > 0 ? [s.TargetOfRank(clean, part.Rank)]
        : [.. Enumerable.Range(0, s.Classes).Where(k => k != s.Label)];

    private float[] Begin(Subject s, AttackPart part)
    {
        if (OwnStart(s, part) is { } own) return own;
        return part.Restart == 0 ? s.Image : Ball.OnSphere(s.Image, 0.5 * Math.Min(NotFound, Eps), s.Random(this, part));
    }

    private float[] Move(float[] x, float[] u, Plane plane)
    {
        double b = -plane.Gap;
        for (int i = 0; i < u.Length; i++) b += (double)plane.Normal[i] * u[i];
        double[] fromHere = Ball.OntoPlane(u, plane.Normal, b), fromImage = Ball.OntoPlane(x, plane.Normal, b);
        double a1 = Math.Max(Ball.Length(fromHere), LeastMove), a2 = Math.Max(Ball.Length(fromImage), LeastMove);
        double bias = Math.Clamp(a1 / (a1 + a2), 0, AlphaMax);
        var v = new float[u.Length];
        for (int i = 0; i < v.Length; i++)
            v[i] = (float)Math.Clamp((1 - bias) * (u[i] + Eta * fromHere[i]) + bias * (x[i] + Eta * fromImage[i]), 0, 1);
        return v;
    }

    private float[] Back(float[] x, float[] u)
    {
        var v = new float[u.Length];
        for (int i = 0; i < v.Length; i++) v[i] = (float)(x[i] + Beta * ((double)u[i] - x[i]));
        return v;
    }
}

/// <summary>The linearised boundary near a point: its normal, the lead of the competitor's logit over the true one's there, and how far it
/// is.</summary>
internal readonly record struct Plane(float[] Normal, double Gap, double Distance)
{
    /// <summary>The one that is nearest in the dual norm.</summary>
    public static async Task<Plane> Nearest(Subject subject, float[] point, int[] competitors, NormGeometry ball, double guard)
    {
        var asked = Array.ConvertAll(competitors, k => subject.Gradient(point, AttackLoss.Gap, k));
        Plane nearest = new([], 0, double.PositiveInfinity);
        foreach (var ask in asked)
        {
            var at = await ask;
            double distance = Math.Abs(at.Loss) / (ball.Dual(at.Gradient) + guard);
            if (distance < nearest.Distance) nearest = new Plane(at.Gradient, at.Loss, distance);
        }
        return nearest;
    }
}
