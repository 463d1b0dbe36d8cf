namespace Rpat.Engine.Kernels.Cpu;

/// <summary>
/// The transforms of Winograd's F(4×4, 3×3), 16 channels at a time: Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A takes 36 products for 16 outputs
/// instead of 144 (Lavin and Gray, 2015). A gradient with respect to the filter is the adjoint: Gᵀ[(Bᵀ d B) ⊙ (A y Aᵀ)]G.
/// The interpolation points are 0, ±5/8, ±3/2, ∞: with the usual 0, ±1, ±2, ∞ the rounding of a layer with 256 channels is 2.2 times
/// as large (Barabasz et al., 2018, discuss the choice of points). The points' powers in Aᵀ and Bᵀ are exact in single precision.
/// </summary>
internal static unsafe class WinogradTransform
{
    /// <summary>Outputs per side.</summary>
    public const int Outputs = 4;

    /// <summary>Inputs per side.</summary>
    public const int Inputs = 6;

    /// <summary>Products per tile and channel pair.</summary>
    public const int Positions = Inputs * Inputs;

    /// <summary>Floats of the largest patch or square of products.</summary>
    public const int Patch = 81 * Blocks.Size;

    /// <summary>Floats that a transform needs: two patches.</summary>
    public const int Scratch = 2 * Patch;

    private const float Near = 0.625f;
    private const float Near2 = Near * Near;
    private const float Near3 = Near2 * Near;
    private const float Far = 1.5f;
    private const float Far2 = Far * Far;
    private const float Far3 = Far2 * Far;
    private const float AtZero = 1 / (Near2 * Far2); // G's scales: 1 / Π (point − other points)
    private const float AtNear = 1 / (2 * Near2 * (Near2 - Far2));
    private const float AtFar = 1 / (2 * Far2 * (Far2 - Near2));

    /// <summary>
    /// Bᵀ d, the first axis of Bᵀ d B: the columns of a patch with the view applied to them. All rows but the first and the last are inside
    /// the image; anything outside counts as zero.
    /// </summary>
    /// <param name="d">First element of the patch, 16 floats per element; may lie outside.</param>
    /// <param name="t">Result, row-major.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void InputColumns<TAxis, TView>(float* d, nint row, in PatchInside inside, in BlockMap map, float* t)
        where TAxis : IWinogradAxis where TView : IView
    {
        Vec scale = map.Scale, shift = map.Shift, floor = map.Floor;
        bool top = inside.Top, bottom = inside.Bottom;
        int left = inside.Left, right = inside.Right;
        for (int j = 0; j < TAxis.Inputs; j++, d += Blocks.Size, t += Blocks.Size)
            if (j >= left && j < right)
                TAxis.Input<TView>(d, row, top, bottom, scale, shift, floor, t, TAxis.Inputs * Blocks.Size);
            else
                for (int i = 0; i < TAxis.Points; i++) Vec.Zero.Store(t + i * TAxis.Inputs * Blocks.Size);
    }

    /// <summary>The second axis of Bᵀ d B: position p of the result goes to <c>v + p·step</c>.</summary>
    /// <param name="d">Bᵀ d, row-major.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void InputRows<TAxis>(float* d, float* v, nint step) where TAxis : IWinogradAxis
    {
        for (int i = 0; i < TAxis.Points; i++, d += TAxis.Inputs * Blocks.Size, v += TAxis.Points * step)
            TAxis.Input<PlainView>(d, Blocks.Size, true, true, default, default, default, v, step);
    }

    /// <summary>Bᵀ's row of the point 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec InputZero(Vec d0, Vec d2, Vec d4) => Vector512.MultiplyAddEstimate(d0, Vector512.Create(Near2 * Far2),
        Vector512.MultiplyAddEstimate(d2, Vector512.Create(-(Near2 + Far2)), d4));

    /// <summary>Bᵀ's rows of the other points.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void InputPoints(Vec d1, Vec d2, Vec d3, Vec d4, Vec d5, float* to, nint step)
    {
        Vec nears = Vector512.Create(-Near2), fars = Vector512.Create(-Far2);
        Vec near = Vector512.Create(Near), far = Vector512.Create(Far);
        Vec even = Vector512.MultiplyAddEstimate(d2, fars, d4), odd = Vector512.MultiplyAddEstimate(d1, fars, d3);
        Vec evenFar = Vector512.MultiplyAddEstimate(d2, nears, d4), oddFar = Vector512.MultiplyAddEstimate(d1, nears, d3);
        Vector512.MultiplyAddEstimate(odd, near, even).Store(to);
        Vector512.MultiplyAddEstimate(odd, -near, even).Store(to += step);
        Vector512.MultiplyAddEstimate(oddFar, far, evenFar).Store(to += step);
        Vector512.MultiplyAddEstimate(oddFar, -far, evenFar).Store(to += step);
        InputZero(d1, d3, d5).Store(to + step);
    }

    /// <summary>Aᵀ m A: positions at distance <paramref name="step"/> to a square of outputs, row-major.</summary>
    /// <param name="temp">Room for one axis.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Output<TAxis>(float* m, nint step, float* temp, float* y) where TAxis : IWinogradAxis
    {
        for (int j = 0; j < TAxis.Points; j++)
            TAxis.Output(m + j * step, TAxis.Points * step, temp + j * Blocks.Size, TAxis.Points * Blocks.Size);
        for (int i = 0; i < TAxis.Outputs; i++)
            TAxis.Output(temp + i * TAxis.Points * Blocks.Size, Blocks.Size, y + i * TAxis.Outputs * Blocks.Size, Blocks.Size);
    }

    /// <summary>Aᵀ's rows on the points but 0, whose products are added one by one to the first outputs.</summary>
    /// <param name="zeros">How many of them.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void OutputPoints(float* zero, int zeros, float* m, nint row, float* to, nint step)
    {
        Vec m1 = Vector512.Load(m), m2 = Vector512.Load(m + row), m3 = Vector512.Load(m + 2 * row), m4 = Vector512.Load(m + 3 * row);
        Vec even = m1 + m2, odd = m1 - m2, evenFar = m3 + m4, oddFar = m3 - m4;
        (zeros > 0 ? Vector512.Load(zero) + even + evenFar : even + evenFar).Store(to);
        Vec y1 = Vector512.MultiplyAddEstimate(oddFar, Vector512.Create(Far), odd * Vector512.Create(Near));
        (zeros > 1 ? y1 + Vector512.Load(zero + row) : y1).Store(to + step);
        Vec y2 = Vector512.MultiplyAddEstimate(evenFar, Vector512.Create(Far2), even * Vector512.Create(Near2));
        (zeros > 2 ? y2 + Vector512.Load(zero + 2 * row) : y2).Store(to + 2 * step);
        Vec last = Vector512.MultiplyAddEstimate(odd, Vector512.Create(Near3), Vector512.Load(m + 4 * row));
        Vec y3 = Vector512.MultiplyAddEstimate(oddFar, Vector512.Create(Far3), last);
        (zeros > 3 ? y3 + Vector512.Load(zero + 3 * row) : y3).Store(to + 3 * step);
    }

    /// <summary>A y Aᵀ, the adjoint of <see cref="Output"/>: a 4×4 patch of vectors to 6×6 positions.</summary>
    /// <param name="y">Patch, row-major, 16 vectors.</param>
    /// <param name="temp">24 vectors.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void OutputAdjoint(float* y, float* temp, float* v, nint step)
    {
        for (int j = 0; j < Outputs; j++) OutputAdjointAxis(y + j * Blocks.Size, 4 * Blocks.Size, temp + j * Blocks.Size, 4 * Blocks.Size);
        for (int i = 0; i < Inputs; i++, v += 6 * step) OutputAdjointAxis(temp + 4 * i * Blocks.Size, Blocks.Size, v, step);
    }

    /// <summary>A's rows on four values: their polynomial at the points.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void OutputAdjointAxis(float* y, nint row, float* to, nint step)
    {
        Vec y0 = Vector512.Load(y), y1 = Vector512.Load(y + row), y2 = Vector512.Load(y + 2 * row), y3 = Vector512.Load(y + 3 * row);
        Vec near = Vector512.Create(Near), far = Vector512.Create(Far), nears = Vector512.Create(Near2), fars = Vector512.Create(Far2);
        Vec even = Vector512.MultiplyAddEstimate(y2, nears, y0), odd = Vector512.MultiplyAddEstimate(y3, nears, y1);
        Vec evenFar = Vector512.MultiplyAddEstimate(y2, fars, y0), oddFar = Vector512.MultiplyAddEstimate(y3, fars, y1);
        y0.Store(to);
        Vector512.MultiplyAddEstimate(odd, near, even).Store(to += step);
        Vector512.MultiplyAddEstimate(odd, -near, even).Store(to += step);
        Vector512.MultiplyAddEstimate(oddFar, far, evenFar).Store(to += step);
        Vector512.MultiplyAddEstimate(oddFar, -far, evenFar).Store(to += step);
        y3.Store(to + step);
    }

    /// <summary>G g Gᵀ of sixteen 3×3 filters at once: tap t of lane l at <c>g[16·t + l]</c>.</summary>
    /// <param name="t">18 vectors, of which the last nine may be <paramref name="g"/>.</param>
    /// <param name="u">Result, position p at <c>u + p·step</c>.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Filter(float* g, bool strided, float* t, float* u, nint step)
    {
        for (int j = 0; j < 3; j++) FilterAxis(g + j * Blocks.Size, 3 * Blocks.Size, strided, t + j * Blocks.Size, 3 * Blocks.Size);
        for (int i = 0; i < Inputs; i++, u += 6 * step) FilterAxis(t + 3 * i * Blocks.Size, Blocks.Size, strided, u, step);
    }

    /// <summary>Gᵀ u G of sixteen filters at once, the adjoint of <see cref="Filter"/>.</summary>
    /// <param name="u">Position p at <c>u + p·step</c>.</param>
    /// <param name="temp">18 vectors.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void FilterAdjoint(float* u, nint step, float* temp, float* g)
    {
        for (int j = 0; j < Inputs; j++) FilterAdjointAxis(u + j * step, 6 * step, temp + j * Blocks.Size, 6 * Blocks.Size);
        for (int i = 0; i < 3; i++)
            FilterAdjointAxis(temp + 6 * i * Blocks.Size, Blocks.Size, g + 3 * i * Blocks.Size, Blocks.Size);
    }

    /// <summary>G's rows on three values: the filter's polynomial at the points, scaled.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FilterAxis(float* from, nint fromStep, bool strided, float* to, nint toStep)
    {
        Vec first = Vector512.Load(from), middle = Vector512.Load(from + fromStep), g2 = Vector512.Load(from + 2 * fromStep);
        Vec g0 = strided ? Vec.Zero : first, g1 = strided ? first : middle;
        Vec even = Vector512.MultiplyAddEstimate(g2, Vector512.Create(Near2), g0) * Vector512.Create(AtNear);
        Vec odd = g1 * Vector512.Create(Near * AtNear), oddFar = g1 * Vector512.Create(Far * AtFar);
        Vec evenFar = Vector512.MultiplyAddEstimate(g2, Vector512.Create(Far2), g0) * Vector512.Create(AtFar);
        (strided ? middle : g0 * Vector512.Create(AtZero)).Store(to);
        (even + odd).Store(to += toStep);
        (even - odd).Store(to += toStep);
        (evenFar + oddFar).Store(to += toStep);
        (evenFar - oddFar).Store(to += toStep);
        g2.Store(to + toStep);
    }

    /// <summary>Gᵀ's rows on six values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FilterAdjointAxis(float* from, nint fromStep, float* to, nint toStep)
    {
        Vec u0 = Vector512.Load(from), u1 = Vector512.Load(from + fromStep), u2 = Vector512.Load(from + 2 * fromStep);
        Vec u3 = Vector512.Load(from + 3 * fromStep), u4 = Vector512.Load(from + 4 * fromStep), u5 = Vector512.Load(from + 5 * fromStep);
        Vec even = (u1 + u2) * Vector512.Create(AtNear), evenFar = (u3 + u4) * Vector512.Create(AtFar);
        Vec odd = (u1 - u2) * Vector512.Create(Near * AtNear);
        (Vector512.MultiplyAddEstimate(u0, Vector512.Create(AtZero), even) + evenFar).Store(to);
        Vector512.MultiplyAddEstimate(u3 - u4, Vector512.Create(Far * AtFar), odd).Store(to + toStep);
        Vec last = Vector512.MultiplyAddEstimate(even, Vector512.Create(Near2), u5);
        Vector512.MultiplyAddEstimate(evenFar, Vector512.Create(Far2), last).Store(to + 2 * toStep);
    }
}
