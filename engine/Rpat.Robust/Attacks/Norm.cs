namespace Rpat.Robust.Attacks;

/// <summary>
/// The geometry of an attack: a random start in the ε-ball, and one step with projection. Each is one kernel for the whole batch.
/// </summary>
public abstract record Norm
{
    /// <summary>max |δ| ≤ ε.</summary>
    public static Norm Linf { get; } = new LinfNorm();

    /// <summary>‖δ‖₂ ≤ ε per image.</summary>
    public static Norm L2 { get; } = new L2Norm();

    /// <summary>‖δ‖₁ ≤ ε per image.</summary>
    public static Norm L1 { get; } = new L1Norm();

    /// <summary>All norms.</summary>
    public static IReadOnlyList<Norm> All { get; } = [Linf, L2, L1];

    /// <summary>Name in options and reports.</summary>
    public abstract string Name { get; }

    /// <summary>The same geometry for one image on the host.</summary>
    public abstract NormGeometry Geometry { get; }

    /// <summary>Draws a start around x (methods.md 2.1 row A).</summary>
    internal abstract void Start(Tensor x, float eps, in RandomKey key, ReadOnlySpan<long> samples, Tensor adversarial);

    /// <summary>
    /// Moves x′ up the gradient, then projects it onto the ball and the box [0,1], the ball first or last; for L∞ the order does not
    /// matter.
    /// </summary>
    internal abstract void Step(Tensor x, Tensor adversarial, float step, float eps, bool ballFirst);

    /// <summary>‖a − b‖ of one image, in double: of a batch it would be that of all images together.</summary>
    /// <exception cref="ArgumentException">They differ in length.</exception>
    public double Distance(ReadOnlySpan<float> a, ReadOnlySpan<float> b) => Geometry.Distance(a, b);

    /// <summary>‖a − b‖ of each of N images <c>[N, C, H, W]</c>, in double.</summary>
    /// <exception cref="ArgumentException">They differ in length, or are not that many images.</exception>
    public double[] Distances(ReadOnlySpan<float> a, ReadOnlySpan<float> b, int images)
    {
        if (images < 1 || a.Length % images != 0 || a.Length != b.Length)
            throw new ArgumentException($"{a.Length} and {b.Length} values are not {images} images of one size.");
        var distances = new double[images];
        int size = a.Length / images;
        for (int i = 0; i < images; i++) distances[i] = Distance(a.Slice(i * size, size), b.Slice(i * size, size));
        return distances;
    }

    /// <summary>The step of PGD and its kin: 2/255 at 8/255, and 15/255 at 128/255, which are those of the papers, as shares of ε.</summary>
    internal double StepOf(double eps) => this == Linf ? eps / 4 : eps * 15 / 128;

    /// <summary>The distance of a black and a white image of that many values: no two are farther apart.</summary>
    internal double Diameter(int values) => this == Linf ? 1 : this == L2 ? Math.Sqrt(values) : values;

    /// <summary>
    /// Whether a point lies in the box [0,1] and in the ball of radius <paramref name="eps"/> around an image, in double, with room for
    /// rounding (attacks.md 0.4 rule 7).
    /// </summary>
    public bool Holds(ReadOnlySpan<float> x, ReadOnlySpan<float> point, double eps)
    {
        const double LinfSlack = 1e-6, Slack = 1e-7, Share = 1e-5;
        foreach (float v in point)
            if (!(v >= 0 && v <= 1)) return false;
        return Distance(x, point) <= (this == Linf ? eps + LinfSlack : eps * (1 + Share) + Slack);
    }

    /// <summary>The norm of that name.</summary>
    /// <exception cref="ArgumentException">There is no such norm.</exception>
    public static Norm Parse(string name) => All.FirstOrDefault(norm => norm.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
        ?? throw new ArgumentException($"Norm '{name}' is unknown: use linf, l2 or l1.");
}

/// <summary>L1 of an attack in training, computed on the host: its projection sorts each image's values.</summary>
internal sealed record L1Norm : Norm
{
    public override string Name => "l1";

    public override NormGeometry Geometry => NormGeometry.L1;

    internal override void Start(Tensor x, float eps, in RandomKey key, ReadOnlySpan<long> samples, Tensor adversarial)
    {
        float[] from = x.ToArray();
        for (int i = 0; i < samples.Length; i++)
            Geometry.InBall(Row(from, i, x), eps, (key with { Sample = samples[i] }).Stream()).CopyTo(from, i * x.Shape.SampleCount);
        adversarial.Upload(from);
    }

    internal override void Step(Tensor x, Tensor adversarial, float step, float eps, bool ballFirst)
    {
        float[] from = x.ToArray(), at = adversarial.ToArray(), gradient = adversarial.GradToArray();
        for (int i = 0; i < x.Shape.N; i++)
        {
            float[] u = Geometry.Ascend(Row(at, i, x), Row(gradient, i, x), step);
            Geometry.Project(Row(from, i, x), u, eps);
            u.CopyTo(at, i * x.Shape.SampleCount);
        }
        adversarial.Upload(at);
    }

    private static float[] Row(float[] all, int i, Tensor x) => all[(i * x.Shape.SampleCount)..((i + 1) * x.Shape.SampleCount)];
}

internal sealed record LinfNorm : Norm
{
    public override string Name => "linf";

    public override NormGeometry Geometry => NormGeometry.Linf;

    internal override void Start(Tensor x, float eps, in RandomKey key, ReadOnlySpan<long> samples, Tensor adversarial) =>
        x.Device.Kernels.LinfStart(x.Shape.N, x.Shape.SampleCount, x.Data, eps, key, samples, adversarial.Data);

    internal override void Step(Tensor x, Tensor adversarial, float step, float eps, bool ballFirst) =>
        x.Device.Kernels.LinfStep(x.Shape.Count, x.Data, adversarial.Grad, step, eps, adversarial.Data);
}

internal sealed record L2Norm : Norm
{
    public override string Name => "l2";

    public override NormGeometry Geometry => NormGeometry.L2;

    internal override void Start(Tensor x, float eps, in RandomKey key, ReadOnlySpan<long> samples, Tensor adversarial) =>
        x.Device.Kernels.L2Start(x.Shape.N, x.Shape.SampleCount, x.Data, eps, key, samples, adversarial.Data);

    internal override void Step(Tensor x, Tensor adversarial, float step, float eps, bool ballFirst) =>
        x.Device.Kernels.L2Step(x.Shape.N, x.Shape.SampleCount, x.Data, adversarial.Grad, step, eps, ballFirst, adversarial.Data);
}
