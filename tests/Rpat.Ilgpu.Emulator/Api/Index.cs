using System.Globalization;

namespace ILGPU;

/// <summary>A 32-bit index or extent.</summary>
public readonly struct Index1D(int x)
{
    /// <summary>The index 0.</summary>
    public static readonly Index1D Zero;

    /// <summary>The index 1.</summary>
    public static readonly Index1D One = new(1);

    /// <summary>The value.</summary>
    public int X { get; } = x;

    /// <summary>Elements that an extent of this size spans.</summary>
    public readonly int Size => X;

    /// <summary>Elements that an extent of this size spans.</summary>
    public readonly long LongSize => X;

    /// <summary>From an integer.</summary>
    public static implicit operator Index1D(int idx) => new(idx);

    /// <summary>To an integer.</summary>
    public static implicit operator int(Index1D idx) => idx.X;

    /// <summary>To a 64-bit index.</summary>
    public static implicit operator LongIndex1D(Index1D index) => new(index.X);

    /// <inheritdoc/>
    public readonly override string ToString() => X.ToString(CultureInfo.InvariantCulture);
}

/// <summary>A 64-bit index or extent.</summary>
public readonly struct LongIndex1D(long x)
{
    /// <summary>The value.</summary>
    public long X { get; } = x;

    /// <summary>Elements that an extent of this size spans.</summary>
    public readonly long Size => X;

    /// <summary>From an integer.</summary>
    public static implicit operator LongIndex1D(long idx) => new(idx);

    /// <summary>To an integer.</summary>
    public static implicit operator long(LongIndex1D idx) => idx.X;

    /// <summary>To a 32-bit index.</summary>
    public static explicit operator Index1D(LongIndex1D index) => index.ToIntIndex();

    /// <summary>The same index in 32 bits.</summary>
    /// <exception cref="OverflowException">It does not fit.</exception>
    public readonly Index1D ToIntIndex() => new(checked((int)X));

    /// <inheritdoc/>
    public readonly override string ToString() => X.ToString(CultureInfo.InvariantCulture);
}

/// <summary>A pair of 32-bit indices.</summary>
public readonly struct Index2D(int x, int y)
{
    /// <summary>The first value, the one that changes fastest.</summary>
    public int X { get; } = x;

    /// <summary>The second value.</summary>
    public int Y { get; } = y;

    /// <summary>Elements that an extent of this size spans.</summary>
    public readonly int Size => checked(X * Y);

    /// <summary>Elements that an extent of this size spans.</summary>
    public readonly long LongSize => (long)X * Y;

    /// <summary>From two integers.</summary>
    public static implicit operator Index2D((int, int) values) => new(values.Item1, values.Item2);

    /// <inheritdoc/>
    public readonly override string ToString() => string.Create(CultureInfo.InvariantCulture, $"({X}, {Y})");
}

/// <summary>A triple of 32-bit indices.</summary>
public readonly struct Index3D(int x, int y, int z)
{
    /// <summary>The extent that holds one element.</summary>
    public static readonly Index3D One = new(1, 1, 1);

    /// <summary>The first value, the one that changes fastest.</summary>
    public int X { get; } = x;

    /// <summary>The second value.</summary>
    public int Y { get; } = y;

    /// <summary>The third value.</summary>
    public int Z { get; } = z;

    /// <summary>Elements that an extent of this size spans.</summary>
    public readonly int Size => checked(X * Y * Z);

    /// <summary>Elements that an extent of this size spans.</summary>
    public readonly long LongSize => (long)X * Y * Z;

    /// <summary>From three integers.</summary>
    public static implicit operator Index3D((int, int, int) values) => new(values.Item1, values.Item2, values.Item3);

    /// <inheritdoc/>
    public readonly override string ToString() => string.Create(CultureInfo.InvariantCulture, $"({X}, {Y}, {Z})");
}
