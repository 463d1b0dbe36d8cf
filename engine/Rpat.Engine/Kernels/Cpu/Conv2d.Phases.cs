namespace Rpat.Engine.Kernels.Cpu;

/// <summary>
/// The input gradient of a strided convolution, split by the parity of the input pixel: a pixel at y = i·stride + py receives
/// from output rows i + offset through the taps r with (py + padding − r) divisible by the stride. Stride 1 has one phase.
/// </summary>
internal sealed class StridePhases
{
    private StridePhases(int kernel, int stride, int padding)
    {
        var axis = Enumerable.Range(0, stride).Select(p => Taps(p, kernel, stride, padding)).ToArray();
        All = [.. from y in Enumerable.Range(0, stride) from x in Enumerable.Range(0, stride)
            select new Phase(y, x, Cross(axis[y], axis[x]), axis[x].Length)];
        HasEmpty = All.Any(phase => phase.Taps.Length == 0);
        foreach (var (_, offset) in axis.SelectMany(a => a)) (Low, High) = (Math.Max(Low, -offset), Math.Max(High, offset));
    }

    /// <summary>The phases in row-major order of their parities, with consecutive tap numbers.</summary>
    public Phase[] All { get; }

    /// <summary>Whether some pixels receive nothing.</summary>
    public bool HasEmpty { get; }

    /// <summary>Rows and columns read before the start of the output gradient.</summary>
    public int Low { get; }

    /// <summary>Rows and columns read beyond index i.</summary>
    public int High { get; }

    /// <summary>
    /// Rows and columns read past the end of the output gradient: the reach of the taps, plus what is needed by input pixels whose index is
    /// beyond the last output (a padding below (R − 1)/2, or a stride with pixels left over).
    /// </summary>
    public int Behind(in ConvShape s) =>
        Math.Max(0, High + Math.Max((s.Input.H - 1) / s.Stride - (s.P - 1), (s.Input.W - 1) / s.Stride - (s.Q - 1)));

    public static StridePhases Of(in ConvShape s) =>
        _known.GetOrAdd((s.R, s.Stride, s.Padding), static k => new StridePhases(k.Item1, k.Item2, k.Item3));

    private static readonly System.Collections.Concurrent.ConcurrentDictionary<(int, int, int), StridePhases> _known = [];

    // By rising offset: the taps of a row read consecutive pixels.
    private static (int Tap, int Offset)[] Taps(int parity, int kernel, int stride, int padding) =>
        [.. from r in Enumerable.Range(0, kernel).Reverse() where (parity + padding - r) % stride == 0
        select (r, (parity + padding - r) / stride)];

    private static Tap[] Cross((int Tap, int Offset)[] rows, (int Tap, int Offset)[] columns) =>
        [.. from r in rows from s in columns select new Tap(r.Tap, s.Tap, r.Offset, s.Offset)];

    /// <summary>One filter tap and its offset.</summary>
    internal readonly record struct Tap(int R, int S, int OffsetY, int OffsetX);

    /// <summary>Input pixels of one parity, and the taps that contribute to them, row by row.</summary>
    internal sealed record Phase(int Y, int X, Tap[] Taps, int RowTaps)
    {
        /// <summary>Rows of taps.</summary>
        public int Rows => RowTaps == 0 ? 0 : Taps.Length / RowTaps;
    }
}
