namespace Rpat.Robust.Evaluation;

/// <summary>
/// How one representation h (logits, or features before the last layer) of each image changes from x to x′ = x + Δ. Arrays are indexed by
/// image, two-dimensional ones by α and image.
/// </summary>
public sealed class PerceptionSpace
{
    internal PerceptionSpace(int alphas, int images)
    {
        (Full, First, Second) = (new double[images], new double[images], new double[images]);
        Residual = Rows(alphas, images);
        Distance = Rows(alphas, images);
    }

    /// <summary>D_full: mean over the representation of (h(x) − h(x′))².</summary>
    public double[] Full { get; }

    /// <summary>D_first: the same between x and x + Δ/2.</summary>
    public double[] First { get; }

    /// <summary>D_second: the same between x + Δ/2 and x′.</summary>
    public double[] Second { get; }

    /// <summary>ρ(α) = ‖h(x+αΔ) − (1−α)h(x) − αh(x′)‖² / ‖h(x′) − h(x)‖²; NaN where h does not change.</summary>
    public double[][] Residual { get; }

    /// <summary>‖h(x+αΔ) − h(x)‖ / ‖h(x′) − h(x)‖: α itself for robust perception (Definition 1); NaN where h does not change.</summary>
    public double[][] Distance { get; }

    /// <summary>Adds one image.</summary>
    /// <param name="alphas">The positions of <paramref name="along"/>.</param>
    /// <param name="middle">h(x + Δ/2).</param>
    internal void Add(int image, IReadOnlyList<double> alphas, IReadOnlyList<ReadOnlyMemory<float>> along, ReadOnlySpan<float> start,
        ReadOnlySpan<float> middle, ReadOnlySpan<float> end)
    {
        double whole = Squares(start, end);
        (Full[image], First[image], Second[image]) = (whole / start.Length, Squares(start, middle) / start.Length,
            Squares(middle, end) / start.Length);
        for (int k = 0; k < alphas.Count; k++)
        {
            var here = along[k].Span;
            Distance[k][image] = whole > 0 ? Math.Sqrt(Squares(start, here) / whole) : double.NaN;
            Residual[k][image] = whole > 0 ? Bend(start, here, end, alphas[k]) / whole : double.NaN;
        }
    }

    private static double Squares(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++) sum += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        return sum;
    }

    private static double Bend(ReadOnlySpan<float> start, ReadOnlySpan<float> here, ReadOnlySpan<float> end, double alpha)
    {
        double sum = 0;
        for (int i = 0; i < start.Length; i++)
        {
            double r = here[i] - (1 - alpha) * start[i] - alpha * end[i];
            sum += r * r;
        }
        return sum;
    }

    private static double[][] Rows(int rows, int columns) => [.. Enumerable.Range(0, rows).Select(_ => new double[columns])];
}
