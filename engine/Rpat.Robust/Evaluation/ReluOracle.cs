namespace Rpat.Robust.Evaluation;

/// <summary>
/// The exact worst margin of a net with two inputs and one hidden ReLU layer in an L∞ ball (attacks.md 4.2). In the intersection of ball
/// and box, a square, a margin is piecewise linear, so its minimum lies in a corner, where a hidden line meets an edge, or where two hidden
/// lines cross: finitely many points.
/// </summary>
/// <param name="w1">Hidden weights <c>[h, 2]</c>.</param>
/// <param name="b1">Hidden biases <c>[h]</c>.</param>
/// <param name="w2">Output weights <c>[K, h]</c>.</param>
/// <param name="b2">Output biases <c>[K]</c>.</param>
internal sealed class ReluOracle(float[] w1, float[] b1, float[] w2, float[] b2)
{
    /// <summary>z_y − max_{k≠y} z_k at a point, in double.</summary>
    public double Margin(double first, double second, int label)
    {
        double[] z = Logits(first, second);
        return z[label] - z.Where((_, k) => k != label).Max();
    }

    /// <summary>The smallest margin within ε of an image and in the box.</summary>
    public double WorstMargin(float[] x, int label, double eps)
    {
        var (lowX, highX) = (Math.Max(0, x[0] - eps), Math.Min(1, x[0] + eps));
        var (lowY, highY) = (Math.Max(0, x[1] - eps), Math.Min(1, x[1] + eps));
        return Vertices(lowX, highX, lowY, highY)
            .Where(p => p.X >= lowX && p.X <= highX && p.Y >= lowY && p.Y <= highY)
            .Min(p => Margin(p.X, p.Y, label));
    }

    private IEnumerable<(double X, double Y)> Vertices(double lowX, double highX, double lowY, double highY)
    {
        foreach (double px in new[] { lowX, highX })
            foreach (double py in new[] { lowY, highY }) yield return (px, py);
        for (int j = 0; j < b1.Length; j++)
        {
            var (a, b, c) = Line(j);
            foreach (double px in new[] { lowX, highX }) yield return (px, -(a * px + c) / b);
            foreach (double py in new[] { lowY, highY }) yield return (-(b * py + c) / a, py);
            for (int i = 0; i < j; i++) yield return Crossing((a, b, c), Line(i));
        }
    }

    private (double A, double B, double C) Line(int j) => (w1[2 * j], w1[2 * j + 1], b1[j]);

    private static (double X, double Y) Crossing((double A, double B, double C) p, (double A, double B, double C) q)
    {
        double det = p.A * q.B - q.A * p.B;
        return ((p.B * q.C - q.B * p.C) / det, (q.A * p.C - p.A * q.C) / det); // parallel lines give no finite number
    }

    private double[] Logits(double first, double second)
    {
        double[] hidden = [.. b1.Select((b, j) => Math.Max(0, w1[2 * j] * first + w1[2 * j + 1] * second + b))];
        return [.. b2.Select((b, k) => b + hidden.Select((h, j) => w2[k * hidden.Length + j] * h).Sum())];
    }
}
