namespace Rpat.Engine.Kernels.Cpu;

/// <summary>
/// Loads and stores near the end of an array, so that element-wise loops have one body and access nothing beyond the end.
/// </summary>
internal static unsafe class Lanes
{
    /// <summary>The next 16 values, with zeros after the last of <paramref name="left"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec Load(float* from, long left) => left >= Blocks.Size ? Vector512.Load(from) : LoadFew(from, (int)left);

    /// <summary>Stores 16 values, or <paramref name="left"/> if that is fewer.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vec value, float* to, long left)
    {
        if (left >= Blocks.Size) value.Store(to);
        else StoreFew(value, to, (int)left);
    }

    /// <summary>All bits in the first <paramref name="count"/> lanes.</summary>
    public static Vec First(int count) => Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(count)).AsSingle();

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Vec LoadFew(float* from, int count)
    {
        Vec value = Vec.Zero;
        Unsafe.CopyBlockUnaligned(&value, from, (uint)count * sizeof(float));
        return value;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void StoreFew(Vec value, float* to, int count) => Unsafe.CopyBlockUnaligned(to, &value, (uint)count * sizeof(float));
}

/// <summary>The lanes of a <see cref="Vec"/> in double precision.</summary>
internal readonly struct Wide(Vector512<double> low, Vector512<double> high)
{
    private readonly Vector512<double> _low = low;
    private readonly Vector512<double> _high = high;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide Of(Vec v) => new(Vector512.WidenLower(v), Vector512.WidenUpper(v));

    /// <summary>The same number in every lane.</summary>
    public static implicit operator Wide(double value) => new(Vector512.Create(value), Vector512.Create(value));

    /// <summary>Rounded to float.</summary>
    public Vec Narrow() => Vector512.Narrow(_low, _high);

    public double Sum() => Vector512.Sum(_low + _high);

    public static Wide Sqrt(Wide v) => new(Vector512.Sqrt(v._low), Vector512.Sqrt(v._high));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide operator +(Wide a, Wide b) => new(a._low + b._low, a._high + b._high);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide operator -(Wide a, Wide b) => new(a._low - b._low, a._high - b._high);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide operator *(Wide a, Wide b) => new(a._low * b._low, a._high * b._high);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide operator /(Wide a, Wide b) => new(a._low / b._low, a._high / b._high);
}
