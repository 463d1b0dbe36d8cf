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
        int first = FirstChannel(w, window, k);
        for (int c = 0; c < w.C; c++)
            for (int ky = 0; ky < w.H; ky++)
                for (int kx = 0; kx < w.W; kx++)
                    if (Inside(x, window.Input(oy, ky), window.Input(ox, kx)))
                        sum += w[k, c, ky, kx] * x[n, first + c, window.Input(oy, ky), window.Input(ox, kx)];
        return sum;
    }

    private static void Scatter(Array4 dx, Array4 w, double gradient, Window window, int n, int k, int oy, int ox)
    {
        int first = FirstChannel(w, window, k);
        for (int c = 0; c < w.C; c++)
            for (int ky = 0; ky < w.H; ky++)
                for (int kx = 0; kx < w.W; kx++)
                    if (Inside(dx, window.Input(oy, ky), window.Input(ox, kx)))
                        dx[n, first + c, window.Input(oy, ky), window.Input(ox, kx)] += gradient * w[k, c, ky, kx];
    }

    private static void Collect(Array4 dw, Array4 x, double gradient, Window window, int n, int k, int oy, int ox)
    {
        int first = FirstChannel(dw, window, k);
        for (int c = 0; c < dw.C; c++)
            for (int ky = 0; ky < dw.H; ky++)
                for (int kx = 0; kx < dw.W; kx++)
                    if (Inside(x, window.Input(oy, ky), window.Input(ox, kx)))
                        dw[k, c, ky, kx] += gradient * x[n, first + c, window.Input(oy, ky), window.Input(ox, kx)];
    }

    // Output channels are dealt to the groups in order; group g reads input channels g·C .. g·C + C − 1, C = Cin / groups.
    private static int FirstChannel(Array4 w, Window window, int k) => k / (w.N / window.Groups) * w.C;

    private static bool Inside(Array4 image, int y, int x) => (uint)y < (uint)image.H && (uint)x < (uint)image.W;

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
