namespace Rpat.Engine.Kernels.Cpu;

/// <summary>
/// One axis of a tile. A stride of 2 splits a row into two phases: y[i] = w1·x[2i] + (w0·x[2i−1] + w2·x[2i+1]). The odd one is a filter of
/// two taps, F(4, 2), which is F(4, 3) with a filter that begins with 0: the point 0 falls away. The even one takes four products in its
/// place, all with w1. That makes 9 products for 4 outputs, or for 8 values of an input gradient, instead of 12.
/// </summary>
internal unsafe interface IWinogradAxis
{
    /// <summary>Values that a tile reads.</summary>
    static abstract int Inputs { get; }

    /// <summary>Products.</summary>
    static abstract int Points { get; }

    /// <summary>Results of a tile.</summary>
    static abstract int Outputs { get; }

    /// <summary>The way to the products' operands. All values but the first and the last are inside the image.</summary>
    static abstract void Input<TView>(float* d, nint row, bool first, bool last, Vec scale, Vec shift, Vec floor, float* to, nint step)
        where TView : IView;

    /// <summary>The way back from the products.</summary>
    static abstract void Output(float* m, nint row, float* to, nint step);
}

/// <summary>F(4, 3).</summary>
internal readonly unsafe struct UnitAxis : IWinogradAxis
{
    public static int Inputs => 6;
    public static int Points => 6;
    public static int Outputs => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Input<TView>(float* d, nint row, bool first, bool last, Vec scale, Vec shift, Vec floor, float* to, nint step)
        where TView : IView
    {
        Vec d0 = first ? TView.Of(Vector512.Load(d), scale, shift, floor) : Vec.Zero;
        Vec d1 = TView.Of(Vector512.Load(d += row), scale, shift, floor), d2 = TView.Of(Vector512.Load(d += row), scale, shift, floor);
        Vec d3 = TView.Of(Vector512.Load(d += row), scale, shift, floor), d4 = TView.Of(Vector512.Load(d += row), scale, shift, floor);
        Vec d5 = last ? TView.Of(Vector512.Load(d + row), scale, shift, floor) : Vec.Zero;
        WinogradTransform.InputZero(d0, d2, d4).Store(to);
        WinogradTransform.InputPoints(d1, d2, d3, d4, d5, to + step, step);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Output(float* m, nint row, float* to, nint step) => WinogradTransform.OutputPoints(m, 1, m + row, row, to, step);
}

/// <summary>Stride 2: four outputs of nine inputs.</summary>
internal readonly unsafe struct StridedAxis : IWinogradAxis
{
    public static int Inputs => 9;
    public static int Points => 9;
    public static int Outputs => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Input<TView>(float* d, nint row, bool first, bool last, Vec scale, Vec shift, Vec floor, float* to, nint step)
        where TView : IView => Phases<TView>(d, d + row, 2 * row, first, last, scale, shift, floor, to, step);

    /// <summary>Four values of the even phase as they are, and the points of five of the odd one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Phases<TView>(float* odd, float* even, nint row, bool first, bool last, Vec scale, Vec shift, Vec floor, float* to,
        nint step) where TView : IView
    {
        for (int i = 0; i < 4; i++, even += row, to += step) TView.Of(Vector512.Load(even), scale, shift, floor).Store(to);
        Vec d1 = first ? TView.Of(Vector512.Load(odd), scale, shift, floor) : Vec.Zero;
        Vec d2 = TView.Of(Vector512.Load(odd += row), scale, shift, floor), d3 = TView.Of(Vector512.Load(odd += row), scale, shift, floor);
        Vec d4 = TView.Of(Vector512.Load(odd += row), scale, shift, floor);
        Vec d5 = last ? TView.Of(Vector512.Load(odd + row), scale, shift, floor) : Vec.Zero;
        WinogradTransform.InputPoints(d1, d2, d3, d4, d5, to, step);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Output(float* m, nint row, float* to, nint step) => WinogradTransform.OutputPoints(m, 4, m + 4 * row, row, to, step);
}

/// <summary>The input gradient of stride 2: four even and four odd values of five.</summary>
internal readonly unsafe struct StridedGradientAxis : IWinogradAxis
{
    public static int Inputs => 5;
    public static int Points => 9;
    public static int Outputs => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Input<TView>(float* d, nint row, bool first, bool last, Vec scale, Vec shift, Vec floor, float* to, nint step)
        where TView : IView => StridedAxis.Phases<TView>(d, d, row, first, last, scale, shift, floor, to, step);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Output(float* m, nint row, float* to, nint step)
    {
        WinogradTransform.OutputPoints(m, 0, m + 4 * row, row, to + step, 2 * step);
        for (int i = 0; i < 4; i++, m += row, to += 2 * step) Vector512.Load(m).Store(to);
    }
}
