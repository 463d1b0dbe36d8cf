namespace Rpat.Tests.Reference;

/// <summary>How a window moves over an image: the same stride and zero padding in both directions, and channel groups.</summary>
internal readonly record struct Window(int Stride = 1, int Padding = 0, int Groups = 1)
{
    /// <summary>Number of positions of a kernel of this size along an axis of this size.</summary>
    public int Outputs(int size, int kernel) => (size + 2 * Padding - kernel) / Stride + 1;

    /// <summary>Input position under a kernel tap for an output position; negative or too large in the padding.</summary>
    public int Input(int output, int tap) => output * Stride - Padding + tap;
}

/// <summary>
/// 2-D convolution (cross-correlation) as loops: x is (N, Cin, H, W), w is (Cout, Cin / groups, kh, kw), the bias has Cout
/// values, and y is (N, Cout, Ho, Wo). Groups = Cin is the depthwise case.
/// </summary>
internal static class ReferenceConv2d
{
    public static Array4 Forward(Array4 x, Array4 w, double[]? bias = null, Window? window = null)
    {
        Window used = Checked(x, w, window);
        Array4 y = new(x.N, w.N, used.Outputs(x.H, w.H), used.Outputs(x.W, w.W));
        ForEachOutput(y, (n, k, oy, ox) => y[n, k, oy, ox] = (bias?[k] ?? 0) + Correlate(x, w, used, n, k, oy, ox));
        return y;
    }

    /// <summary>∂L/∂x from ∂L/∂y: every output hands its gradient to the inputs it read, times the weight it read them with.</summary>
    public static Array4 InputGradient(Array4 x, Array4 w, Array4 dy, Window? window = null)
    {
        Window used = Checked(x, w, window);
        Array4 dx = x.Like();
        ForEachOutput(dy, (n, k, oy, ox) => Scatter(dx, w, dy[n, k, oy, ox], used, n, k, oy, ox));
        return dx;
    }

    /// <summary>∂L/∂w from ∂L/∂y: every output hands its gradient to the weights it used, times the input they met.</summary>
    public static Array4 WeightGradient(Array4 x, Array4 w, Array4 dy, Window? window = null)
    {
        Window used = Checked(x, w, window);
        Array4 dw = w.Like();
        ForEachOutput(dy, (n, k, oy, ox) => Collect(dw, x, dy[n, k, oy, ox], used, n, k, oy, ox));
        return dw;
    }

    /// <summary>∂L/∂bias from ∂L/∂y: the sum over samples and pixels.</summary>
    public static double[] BiasGradient(Array4 dy)
    {
        double[] db = new double[dy.C];
        ForEachOutput(dy, (n, k, oy, ox) => db[k] += dy[n, k, oy, ox]);
        return db;
    }

    private static double Correlate(Array4 x, Array4 w, Window window, int n, int k, int oy, int ox)
    {
        double sum = 0;
        (int y0, int x0) = (window.Input(oy, 0), window.Input(ox, 0));
        (int left, int right) = Taps(x0, w.W, x.W);
        int group = FirstChannel(w, window, k);
        for (int c = 0; c < w.C; c++)
            for (int ky = 0; ky < w.H; ky++)
            {
                if ((uint)(y0 + ky) >= (uint)x.H) continue;
                int row = x.Offset(n, group + c, y0 + ky, x0), tap = w.Offset(k, c, ky, 0);
                for (int kx = left; kx < right; kx++) sum += w.Data[tap + kx] * x.Data[row + kx];
            }

        return sum;
    }

    private static void Scatter(Array4 dx, Array4 w, double gradient, Window window, int n, int k, int oy, int ox)
    {
        (int y0, int x0) = (window.Input(oy, 0), window.Input(ox, 0));
        (int left, int right) = Taps(x0, w.W, dx.W);
        int group = FirstChannel(w, window, k);
        for (int c = 0; c < w.C; c++)
            for (int ky = 0; ky < w.H; ky++)
            {
                if ((uint)(y0 + ky) >= (uint)dx.H) continue;
                int row = dx.Offset(n, group + c, y0 + ky, x0), tap = w.Offset(k, c, ky, 0);
                for (int kx = left; kx < right; kx++) dx.Data[row + kx] += gradient * w.Data[tap + kx];
            }
    }

    private static void Collect(Array4 dw, Array4 x, double gradient, Window window, int n, int k, int oy, int ox)
    {
        (int y0, int x0) = (window.Input(oy, 0), window.Input(ox, 0));
        (int left, int right) = Taps(x0, dw.W, x.W);
        int group = FirstChannel(dw, window, k);
        for (int c = 0; c < dw.C; c++)
            for (int ky = 0; ky < dw.H; ky++)
            {
                if ((uint)(y0 + ky) >= (uint)x.H) continue;
                int row = x.Offset(n, group + c, y0 + ky, x0), tap = dw.Offset(k, c, ky, 0);
                for (int kx = left; kx < right; kx++) dw.Data[tap + kx] += gradient * x.Data[row + kx];
            }
    }

    // Output channels are dealt to the groups in order; group g reads input channels g·C .. g·C + C − 1, C = Cin / groups.
    private static int FirstChannel(Array4 w, Window window, int k) => k / (w.N / window.Groups) * w.C;

    // The taps of a kernel row that lie inside an image row, when tap 0 lies at this position.
    private static (int Left, int Right) Taps(int start, int kernel, int size) =>
        (Math.Max(0, -start), Math.Min(kernel, size - start));

    private static void ForEachOutput(Array4 y, Action<int, int, int, int> visit)
    {
        for (int n = 0; n < y.N; n++)
            for (int k = 0; k < y.C; k++)
                for (int oy = 0; oy < y.H; oy++)
                    for (int ox = 0; ox < y.W; ox++)
                        visit(n, k, oy, ox);
    }

    private static Window Checked(Array4 x, Array4 w, Window? window)
    {
        Window used = window ?? new Window(1);
        if (used.Groups < 1 || x.C != w.C * used.Groups || w.N % used.Groups != 0)
            throw new ArgumentException($"Weights {w} in {used.Groups} groups do not fit an input of shape {x}.");
        return used;
    }
}
