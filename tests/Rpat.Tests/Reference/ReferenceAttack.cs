namespace Rpat.Tests.Reference;

/// <summary>
/// The inner attack's starts, steps and projections (methods.md 2.1 rows A, B and C; attacks.md 1.3). Images are in [0, 1];
/// x is the benign batch, u the current adversarial one, g the gradient of the loss to raise, all of one shape.
/// </summary>
internal static class ReferenceAttack
{
    public static Array4 ClipBox(Array4 u) => u.Map(value => Math.Clamp(value, 0, 1));

    /// <summary>All rows: clip(x + clamp(u + s·sign g − x, ±ε)); sign(0) = 0.</summary>
    public static Array4 LinfStep(Array4 x, Array4 u, Array4 g, double step, double epsilon) =>
        ProjectLinf(x, u.Zip(g, (value, slope) => value + step * Math.Sign(slope)), epsilon);

    /// <summary>Into the ε-cube around x, then into the image box.</summary>
    public static Array4 ProjectLinf(Array4 x, Array4 u, double epsilon) =>
        ClipBox(x.Zip(u, (p, q) => p + Math.Clamp(q - p, -epsilon, epsilon)));

    /// <summary>Row A: δ + s·g/max(‖g‖, 1e-6), then clip to the box, then scale into the ball.</summary>
    public static Array4 L2StepA(Array4 x, Array4 u, Array4 g, double step, double epsilon)
    {
        Array4 clipped = ClipBox(ReferenceElementwise.Add(u, Normalised(g, norm => step / Math.Max(norm, 1e-6))));
        return ReferenceElementwise.Add(x, ScaleIntoBall(Difference(clipped, x), epsilon));
    }

    /// <summary>Row B: u + s·g/(‖g‖ + 1e-8), then into the ball, then clip to the box.</summary>
    public static Array4 L2StepB(Array4 x, Array4 u, Array4 g, double step, double epsilon) => L2Step(x, u, g, step, epsilon, 1e-8);

    /// <summary>Row C and attacks.md 1.3: as row B with 1e-10.</summary>
    public static Array4 L2StepC(Array4 x, Array4 u, Array4 g, double step, double epsilon) => L2Step(x, u, g, step, epsilon, 1e-10);

    /// <summary>Into the ε-ball around x, then into the image box (which keeps it in the ball, x being in the box).</summary>
    public static Array4 ProjectL2(Array4 x, Array4 u, double epsilon) =>
        ClipBox(ReferenceElementwise.Add(x, ScaleIntoBall(Difference(u, x), epsilon)));

    /// <summary>Each sample of δ times min(1, ε/max(‖δ‖, 1e-12)): samples inside the ball keep their values exactly.</summary>
    public static Array4 ScaleIntoBall(Array4 delta, double epsilon) =>
        Rows.Scale(delta, Array.ConvertAll(Rows.Norms(delta), norm => Math.Min(1, epsilon / Math.Max(norm, 1e-12))));

    /// <summary>Rows A and C, Linf: clip(x + δ) with δ uniform in ±ε; <paramref name="uniform"/> is in [0, 1).</summary>
    public static Array4 LinfStart(Array4 x, Array4 uniform, double epsilon) =>
        ClipBox(x.Zip(uniform, (value, draw) => value + epsilon * (2 * draw - 1)));

    /// <summary>Row A, L2: a point of the image box, minus x, scaled into the ball, clipped.</summary>
    public static Array4 L2StartA(Array4 x, Array4 uniform, double epsilon) => ProjectL2(x, uniform, epsilon);

    /// <summary>Row B: x + 0.001·normal, not clipped.</summary>
    public static Array4 StartB(Array4 x, Array4 normal) => x.Zip(normal, (value, draw) => value + 0.001 * draw);

    /// <summary>Row C, L2: a normal direction of length ε·radius, radius in [0, 1) per sample, clipped.</summary>
    public static Array4 L2StartC(Array4 x, Array4 normal, double[] radius, double epsilon)
    {
        double[] norms = Rows.Norms(normal);
        double[] factors = [.. radius.Select((r, n) => epsilon * r / norms[n])];
        return ClipBox(ReferenceElementwise.Add(x, Rows.Scale(normal, factors)));
    }

    /// <summary>The loop: from a start, <paramref name="steps"/> times move with the gradient at the current point.</summary>
    public static Array4 Pgd(Array4 start, int steps, Func<Array4, Array4> gradient, Func<Array4, Array4, Array4> move)
    {
        Array4 u = start;
        for (int i = 0; i < steps; i++) u = move(u, gradient(u));
        return u;
    }

    private static Array4 L2Step(Array4 x, Array4 u, Array4 g, double step, double epsilon, double guard) =>
        ProjectL2(x, ReferenceElementwise.Add(u, Normalised(g, norm => step / (norm + guard))), epsilon);

    private static Array4 Normalised(Array4 g, Converter<double, double> factor) =>
        Rows.Scale(g, Array.ConvertAll(Rows.Norms(g), factor));

    private static Array4 Difference(Array4 a, Array4 b) => a.Zip(b, (p, q) => p - q);
}
