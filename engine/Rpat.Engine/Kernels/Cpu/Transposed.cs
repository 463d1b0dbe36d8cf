namespace Rpat.Engine.Kernels.Cpu;

/// <summary>Transposes four rows of four values at a time.</summary>
internal static unsafe class Transposed
{
    /// <summary>Rows and columns of a square.</summary>
    public const int Side = 4;

    public static bool IsSupported => Sse.IsSupported;

    /// <summary>to[column·toStep + row] = from[row·step + column], for any number of columns and a multiple of four rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rows(float* from, nint step, int rows, int columns, float* to, nint toStep)
    {
        for (float* end = to + rows; to < end; to += Side, from += Side * step)
        {
            float* at = to;
            int j = 0;
            for (; IsSupported && j + Side <= columns; j += Side, at += Side * toStep)
                Square(from + j, from + j + step, from + j + 2 * step, from + j + 3 * step, at, toStep, accumulate: false);
            for (; j < columns; j++, at += toStep)
                for (int row = 0; row < Side; row++) at[row] = from[row * step + j];
        }
    }

    /// <summary>Four rows of four; stored, or added to what is there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Square(float* row0, float* row1, float* row2, float* row3, float* to, nint toStep, bool accumulate)
    {
        Vector128<float> p0 = Vector128.Load(row0), p1 = Vector128.Load(row1), p2 = Vector128.Load(row2), p3 = Vector128.Load(row3);
        Vector128<float> a = Sse.UnpackLow(p0, p1), b = Sse.UnpackLow(p2, p3), c = Sse.UnpackHigh(p0, p1), d = Sse.UnpackHigh(p2, p3);
        Store(Sse.MoveLowToHigh(a, b), to, accumulate);
        Store(Sse.MoveHighToLow(b, a), to += toStep, accumulate);
        Store(Sse.MoveLowToHigh(c, d), to += toStep, accumulate);
        Store(Sse.MoveHighToLow(d, c), to + toStep, accumulate);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector128<float> value, float* to, bool accumulate) =>
        (accumulate ? value + Vector128.Load(to) : value).Store(to);
}
