using System.Numerics;

namespace Rpat.Robust.Attacks;

/// <summary>
/// A norm's geometry for one image on the host, used by attacks that have separate control flow per image. Values are
/// float32, sums are double. Every projection is onto the ball first and then onto the box [0,1], which keeps it in the ball
/// (attacks.md 0.4 rule 4).
/// </summary>
public abstract class NormGeometry
{
    private const double Guard = 1e-12;

    /// <summary>max |δ|.</summary>
    public static NormGeometry Linf { get; } = new LinfGeometry();

    /// <summary>‖δ‖₂.</summary>
    public static NormGeometry L2 { get; } = new L2Geometry();

    /// <summary>‖δ‖₁.</summary>
    public static NormGeometry L1 { get; } = new L1Geometry();

    /// <summary>‖v‖.</summary>
    public abstract double Length(ReadOnlySpan<float> v);

    /// <summary>‖v‖.</summary>
    public abstract double Length(ReadOnlySpan<double> v);

    /// <summary>The shortest move of a point of the box onto the hyperplane normal·v = b within the box (attacks.md 2.5).</summary>
    public abstract double[] OntoPlane(float[] from, float[] normal, double b);

    /// <summary>The dual norm: ‖w‖₁ for L∞, ‖w‖₂ for L2, max |w| for L1.</summary>
    public abstract double Dual(ReadOnlySpan<float> w);

    /// <summary>u + step·(steepest direction of g), not yet projected.</summary>
    public abstract float[] Ascend(float[] u, float[] g, double step);

    /// <summary>Moves u into the ball of radius ε around x, then into the box, in place.</summary>
    public abstract void Project(float[] x, float[] u, double eps);

    /// <summary>PGD's start (attacks.md 1.3): uniform in the cube, or a normal direction with a uniform radius.</summary>
    public abstract float[] InBall(float[] x, double eps, in PhiloxStream random);

    /// <summary>APGD's start (attacks.md 2.2): on the boundary of the ball, before the box.</summary>
    public abstract float[] OnSphere(float[] x, double eps, in PhiloxStream random);

    /// <summary>‖a − b‖ in double.</summary>
    /// <exception cref="ArgumentException">They differ in length.</exception>
    public double Distance(ReadOnlySpan<float> a, ReadOnlySpan<float> b) => a.Length == b.Length ? Apart(a, b)
        : throw new ArgumentException($"A distance is between two images of one size, not of {a.Length} and {b.Length} values.");

    private protected abstract double Apart(ReadOnlySpan<float> a, ReadOnlySpan<float> b);

    /// <summary>max(min(v, 1), 0).</summary>
    public static void Box(Span<float> v)
    {
        for (int i = 0; i < v.Length; i++) v[i] = Math.Clamp(v[i], 0f, 1f);
    }

    private protected static double L2Length(ReadOnlySpan<float> v)
    {
        double sum = 0;
        foreach (float value in v) sum += (double)value * value;
        return Math.Sqrt(sum);
    }

    /// <summary>box(x + radius·d/‖d‖₂).</summary>
    public static float[] AlongL2(float[] x, double[] d, double radius)
    {
        double sum = 0;
        foreach (double v in d) sum += v * v;
        double rate = radius / (Math.Sqrt(sum) + Guard);
        var u = new float[x.Length];
        for (int i = 0; i < u.Length; i++) u[i] = (float)Math.Clamp(x[i] + rate * d[i], 0, 1);
        L2.Tighten(x, u, radius);
        return u;
    }

    // Rounding x + δ to float32 lengthens δ by up to 3e-8 per value, which matters only for a tiny radius: then each value is rounded
    // one step back towards x, repeatedly until the point is in the ball.
    private protected void Tighten(float[] x, float[] u, double eps)
    {
        while (Distance(u, x) > eps * (1 + 1e-6) + 1e-8)
            for (int i = 0; i < u.Length; i++)
                u[i] = u[i] > x[i] ? MathF.BitDecrement(u[i]) : u[i] < x[i] ? MathF.BitIncrement(u[i]) : u[i];
    }

    // As Math.Clamp, NaN and -0 included.
    private static Vector<float> Clamped(Vector<float> v, Vector<float> min, Vector<float> max) =>
        Vector.ConditionalSelect(Vector.LessThan(v, min), min, Vector.ConditionalSelect(Vector.GreaterThan(v, max), max, v));

    private protected static float[] Normals(int count, in PhiloxStream random)
    {
        var t = new float[count];
        random.FillNormal(t);
        return t;
    }

    private sealed class LinfGeometry : NormGeometry
    {
        public override double Length(ReadOnlySpan<float> v)
        {
            float max = 0;
            foreach (float value in v) max = Math.Max(max, Math.Abs(value));
            return max;
        }

        public override double Length(ReadOnlySpan<double> v)
        {
            double max = 0;
            foreach (double value in v) max = Math.Max(max, Math.Abs(value));
            return max;
        }

        public override double[] OntoPlane(float[] from, float[] normal, double b) => HyperplaneProjection.Linf(from, normal, b);

        public override double Dual(ReadOnlySpan<float> w)
        {
            double sum = 0;
            foreach (float value in w) sum += Math.Abs(value);
            return sum;
        }

        public override float[] Ascend(float[] u, float[] g, double step)
        {
            var v = new float[u.Length];
            float s = (float)step;
            int i = 0;
            for (int lanes = Vector<float>.Count; i <= v.Length - lanes; i += lanes)
            {
                Vector<float> at = new(u, i), slope = new(g, i), zero = Vector<float>.Zero;
                Vector<float> down = Vector.ConditionalSelect(Vector.LessThan(slope, zero), at - new Vector<float>(s), at);
                Vector.ConditionalSelect(Vector.GreaterThan(slope, zero), at + new Vector<float>(s), down).CopyTo(v, i);
            }
            for (; i < v.Length; i++) v[i] = g[i] > 0 ? u[i] + s : g[i] < 0 ? u[i] - s : u[i];
            return v;
        }

        public override void Project(float[] x, float[] u, double eps)
        {
            float e = (float)eps;
            int i = 0;
            for (int lanes = Vector<float>.Count; i <= u.Length - lanes; i += lanes)
            {
                Vector<float> middle = new(x, i), reach = new(e);
                Clamped(Clamped(new(u, i), middle - reach, middle + reach), Vector<float>.Zero, Vector<float>.One).CopyTo(u, i);
            }
            for (; i < u.Length; i++) u[i] = Math.Clamp(Math.Clamp(u[i], x[i] - e, x[i] + e), 0f, 1f);
        }

        public override float[] InBall(float[] x, double eps, in PhiloxStream random)
        {
            var u = new float[x.Length];
            random.FillSymmetric(u);
            for (int i = 0; i < u.Length; i++) u[i] = Math.Clamp(x[i] + (float)eps * u[i], 0f, 1f);
            return u;
        }

        public override float[] OnSphere(float[] x, double eps, in PhiloxStream random)
        {
            var t = new float[x.Length];
            random.FillSymmetric(t);
            double rate = eps / (Length(t) + Guard);
            for (int i = 0; i < t.Length; i++) t[i] = (float)(x[i] + rate * t[i]);
            Project(x, t, eps);
            return t;
        }

        private protected override double Apart(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
        {
            double max = 0;
            for (int i = 0; i < a.Length; i++) max = Math.Max(max, Math.Abs((double)a[i] - b[i]));
            return max;
        }
    }

    private sealed class L2Geometry : NormGeometry
    {
        public override double Length(ReadOnlySpan<float> v) => L2Length(v);

        public override double Length(ReadOnlySpan<double> v)
        {
            double sum = 0;
            foreach (double value in v) sum += value * value;
            return Math.Sqrt(sum);
        }

        public override double[] OntoPlane(float[] from, float[] normal, double b) => HyperplaneProjection.L2(from, normal, b);

        public override double Dual(ReadOnlySpan<float> w) => L2Length(w);

        public override float[] Ascend(float[] u, float[] g, double step)
        {
            var v = new float[u.Length];
            double rate = step / (L2Length(g) + Guard);
            for (int i = 0; i < v.Length; i++) v[i] = (float)(u[i] + rate * g[i]);
            return v;
        }

        public override void Project(float[] x, float[] u, double eps)
        {
            double factor = Math.Min(1, eps / Math.Max(Distance(u, x), Guard));
            for (int i = 0; i < u.Length; i++) u[i] = Math.Clamp((float)(x[i] + factor * ((double)u[i] - x[i])), 0f, 1f);
            Tighten(x, u, eps);
        }

        public override float[] InBall(float[] x, double eps, in PhiloxStream random)
        {
            float[] n = Normals(x.Length, random);
            return AlongL2(x, Array.ConvertAll(n, v => (double)v), eps * random.Uniform(x.Length + 1L));
        }

        public override float[] OnSphere(float[] x, double eps, in PhiloxStream random) =>
            AlongL2(x, Array.ConvertAll(Normals(x.Length, random), v => (double)v), eps);

        private protected override double Apart(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
        {
            double sum = 0;
            for (int i = 0; i < a.Length; i++) sum += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
            return Math.Sqrt(sum);
        }
    }
}
