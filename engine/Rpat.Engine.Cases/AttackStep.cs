namespace Rpat.Engine.Cases;

/// <summary>Images with the radius of a ball around them.</summary>
public readonly record struct BallSize(Shape Images, float Eps);

/// <summary>Steps of attacks.</summary>
public sealed class AttackStepCases : AttackCases
{
    /// <inheritdoc/>
    protected override IEnumerable<KernelCase> At(TestTensors make, BallSize size, bool every)
    {
        var (s, eps) = size;
        float step = eps / 4, radius = every ? eps : 128 / 255f;
        TestTensor x = Images(make, s), g = make.Plain(s, -1e-3, 1e-3), box = make.Plain(s, 0, 1), ball = make.Plain(s, 0, 1);
        yield return new("attack step linf", k => k.LinfStep(s.Count, x, g, step, eps, box),
            new CaseResult(box, () => ReferenceAttack.LinfStep(x.Values, box.Values, g.Values, step, eps)))
        {
            Covers = ["LinfStep"],
            Bytes = 4 * x.Bytes,
            Tolerance = Roundings,
            SameBits = true,
        };
        yield return new("attack step l2", k => k.L2Step(s.N, s.SampleCount, x, g, radius / 4, radius, ballFirst: false, ball),
            new CaseResult(ball, () => ReferenceAttack.L2StepA(x.Values, ball.Values, g.Values, radius / 4, radius)))
        {
            Covers = ["L2Step"],
            Bytes = 5 * x.Bytes,
            Tolerance = Roundings,
        };
        if (!every) yield break;
        TestTensor last = make.Plain(s, 0, 1);
        yield return new("attack step l2, ball first", k => k.L2Step(s.N, s.SampleCount, x, g, step, eps, ballFirst: true, last),
            new CaseResult(last, () => ReferenceAttack.L2StepB(x.Values, last.Values, g.Values, step, eps)))
        {
            Covers = ["L2Step"],
            Tolerance = Roundings,
        };
        yield return WithoutDirection(make);
    }

    /// <summary>Gradients of zero and NaN move nothing; the smallest nonzero gradient moves as far as any.</summary>
    private static KernelCase WithoutDirection(TestTensors make)
    {
        var s = new Shape(1, 4);
        TestTensor x = make.Plain(s, 0.4, 0.6), g = make.Place(s, Layout.Plain, [0f, -0f, float.NaN, 1e-38f]),
            moved = make.Plain(s, 0.4, 0.6);
        Array4 signs = Array4.From(1, 4, 1, 1, 0, 0, 0, 1);
        return new("attack step without direction", k => k.LinfStep(4, x, g, 0.01f, 0.5f, moved),
            new CaseResult(moved, () => ReferenceAttack.LinfStep(x.Values, moved.Values, signs, 0.01f, 0.5f)))
        { Covers = ["LinfStep"], SameBits = true };
    }
}

/// <summary>Cases of attacks: their sizes, and the images.</summary>
public abstract class AttackCases : OpCases<BallSize>
{
    private static readonly Shape _few = new(5, 3, 5, 7);

    /// <summary>A few roundings of values in [0, 1].</summary>
    private protected static Tolerance Roundings { get; } = new(3e-7, 1e-11);

    /// <inheritdoc/>
    public override string Category => "attack";

    /// <summary>Balls that lie within the box, balls that reach beyond it, and balls that allow hardly any movement.</summary>
    protected override IEnumerable<BallSize> RaggedSizes =>
    [
        new(new(3, 3, 5, 7), 8 / 255f), new(new(2, 1, 3, 3), 0.5f), new(new(2, 3, 8, 8), 128 / 255f), new(new(1, 1), 40),
        new(new(2, 1, 17, 17), 1e-6f),
        new(new(2, 1, 17, 17), 0.5f),
    ];

    /// <summary>More balls.</summary>
    protected override IEnumerable<BallSize> WiderSizes =>
        [new(_few, 8 / 255f), new(_few, 0.5f), new(_few, 1e-6f), new(_few, 1), new(_few, 40)];

    /// <summary>CIFAR's images and radius.</summary>
    protected override IEnumerable<BallSize> LayerSizes(int batch) => [new(new(batch, 3, 32, 32), 8 / 255f)];

    /// <summary>Some pixels lie on the border of the box, as in most images.</summary>
    private protected static TestTensor Images(TestTensors make, Shape s)
    {
        float[] values = make.Plain(s, -0.2, 1.2).Host;
        return make.Place(s, Layout.Plain, Array.ConvertAll(values, v => Math.Clamp(v, 0, 1)));
    }
}

/// <summary>
/// The inner attack's steps and projections (methods.md 2.1 rows A and B). Images are in [0, 1];
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
    public static Array4 L2StepB(Array4 x, Array4 u, Array4 g, double step, double epsilon) =>
        ProjectL2(x, ReferenceElementwise.Add(u, Normalised(g, norm => step / (norm + 1e-8))), epsilon);

    /// <summary>Into the ε-ball around x, then into the image box (which keeps it in the ball, x being in the box).</summary>
    public static Array4 ProjectL2(Array4 x, Array4 u, double epsilon) =>
        ClipBox(ReferenceElementwise.Add(x, ScaleIntoBall(Difference(u, x), epsilon)));

    /// <summary>Each sample of δ times min(1, ε/max(‖δ‖, 1e-12)): samples inside the ball keep their values exactly.</summary>
    public static Array4 ScaleIntoBall(Array4 delta, double epsilon) =>
        Rows.Scale(delta, Array.ConvertAll(Rows.Norms(delta), norm => Math.Min(1, epsilon / Math.Max(norm, 1e-12))));

    private static Array4 Normalised(Array4 g, Converter<double, double> factor) =>
        Rows.Scale(g, Array.ConvertAll(Rows.Norms(g), factor));

    private static Array4 Difference(Array4 a, Array4 b) => a.Zip(b, (p, q) => p - q);
}
