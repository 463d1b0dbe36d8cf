namespace Rpat.Robust.Attacks;

/// <summary>‖δ‖₁ ≤ ε: the projection is onto the ball and the box at once (Croce and Hein, ICML'21, "Mind the box").</summary>
internal sealed class L1Geometry : NormGeometry
{
    private const double Sparse = 0.01; // Tramèr and Boneh, NeurIPS'19: the share of values that a step of PGD moves

    public override double Length(ReadOnlySpan<float> v)
    {
        double sum = 0;
        foreach (float value in v) sum += Math.Abs((double)value);
        return sum;
    }

    public override double Dual(ReadOnlySpan<float> w) => Linf.Length(w);

    public override double Length(ReadOnlySpan<double> v)
    {
        double sum = 0;
        foreach (double value in v) sum += Math.Abs(value);
        return sum;
    }

    public override double[] OntoPlane(float[] from, float[] normal, double b) => HyperplaneProjection.L1(from, normal, b);

    public override float[] Ascend(float[] u, float[] g, double step) => Ascend(u, g, step, Sparse);

    /// <summary>u + step·sign(g)/n on the n values of largest |g|, a share of all; ties with the smallest of them count.</summary>
    public static float[] Ascend(float[] u, float[] g, double step, double share)
    {
        float[] sizes = Array.ConvertAll(g, Math.Abs);
        Array.Sort(sizes);
        float least = sizes[Math.Clamp((int)((1 - share) * g.Length), 0, g.Length - 1)];
        int count = g.Count(v => v != 0 && Math.Abs(v) >= least);
        float rate = (float)(step / (count + 1e-10));
        var v = (float[])u.Clone();
        for (int i = 0; i < v.Length; i++)
            if (Math.Abs(g[i]) >= least) v[i] += rate * Math.Sign(g[i]);
        return v;
    }

    /// <summary>
    /// δ_i = sign(y_i)·min(max(|y_i| − λ, 0), room_i), y = u − x, with the least λ ≥ 0 for which Σ|δ_i| ≤ ε. In float32 as the reference
    /// computes it, x + y − the rest of y: which values return to x exactly decides how sparse APGD's next steps are.
    /// </summary>
    public override void Project(float[] x, float[] u, double eps)
    {
        float level = (float)Level(x, u, eps);
        for (int i = 0; i < u.Length; i++)
        {
            float y = u[i] - x[i], size = Math.Abs(y), over = Math.Max(0, -Math.Min(1 - x[i] - y, x[i] + y));
            u[i] = Math.Clamp(x[i] + y - Math.Sign(y) * Math.Min(Math.Max(over, level), size), 0, 1);
        }
        Tighten(x, u, eps);
    }

    public override float[] InBall(float[] x, double eps, in PhiloxStream random) =>
        OnSphere(x, eps * random.Uniform(x.Length + 1L), random);

    public override float[] OnSphere(float[] x, double eps, in PhiloxStream random)
    {
        float[] t = Normals(x.Length, random);
        double rate = eps / (Length(t) + 1e-12);
        for (int i = 0; i < t.Length; i++) t[i] = (float)Math.Clamp(x[i] + rate * t[i], 0, 1);
        Tighten(x, t, eps);
        return t;
    }

    /// <summary>APGD's start: x plus normal noise, projected.</summary>
    public float[] Around(float[] x, double eps, in PhiloxStream random)
    {
        float[] t = Normals(x.Length, random);
        for (int i = 0; i < t.Length; i++) t[i] += x[i];
        Project(x, t, eps);
        return t;
    }

    private protected override double Apart(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++) sum += Math.Abs((double)a[i] - b[i]);
        return sum;
    }

    // Σ|δ_i| falls with λ, by one for each value between |y_i| − room_i, where it leaves the box's side, and |y_i|, where it is 0.
    private static double Level(float[] x, float[] u, double eps)
    {
        double length = 0, level = 0;
        int falling = 0;
        var (ends, turns) = (new double[2 * u.Length], new int[2 * u.Length]);
        for (int i = 0; i < u.Length; i++)
        {
            double size = Math.Abs((double)u[i] - x[i]), over = Math.Clamp(u[i] > 1 ? (double)u[i] - 1 : -u[i], 0, size);
            length += size - over;
            (ends[2 * i], turns[2 * i], ends[2 * i + 1], turns[2 * i + 1]) = (over, 1, size, -1);
        }
        if (length <= eps) return 0;
        Array.Sort(ends, turns);
        for (int i = 0; i < ends.Length; i++)
        {
            double left = length - falling * (ends[i] - level);
            if (left <= eps) return level + (length - eps) / falling;
            (length, level, falling) = (left, ends[i], falling + turns[i]);
        }
        return level;
    }
}
