namespace Rpat.Engine.Gpu.Primitives;

/// <summary>
/// Four adjacent floats: one 128-bit load or store. In activations these are four channels of a pixel. Named fields, never an array, are
/// kept in registers: the compiler puts anything that is indexed into local memory.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct V4
{
    public readonly float X, Y, Z, W;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V4(float x, float y, float z, float w)
    {
        X = x;
        Y = y;
        Z = z;
        W = w;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V4(float all)
    {
        X = all;
        Y = all;
        Z = all;
        W = all;
    }

    // A product and a sum, not FusedMultiplyAdd, which would be a library call: the assembler contracts these to one fma.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V4 operator +(V4 a, V4 b) => new(a.X + b.X, a.Y + b.Y, a.Z + b.Z, a.W + b.W);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V4 operator -(V4 a, V4 b) => new(a.X - b.X, a.Y - b.Y, a.Z - b.Z, a.W - b.W);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V4 operator *(V4 a, V4 b) => new(a.X * b.X, a.Y * b.Y, a.Z * b.Z, a.W * b.W);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V4 operator *(float a, V4 b) => new(a * b.X, a * b.Y, a * b.Z, a * b.W);

    /// <summary>Negative values become zero; NaN stays NaN, as in PyTorch's ReLU.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V4 Relu() => AtLeast(0);

    /// <summary>The same with another number than zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V4 AtLeast(float least) => new(AtLeast(X, least), AtLeast(Y, least), AtLeast(Z, least), AtLeast(W, least));

    /// <summary>These values where <paramref name="gate"/> is positive, else zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V4 Where(V4 gate) => new(gate.X > 0 ? X : 0, gate.Y > 0 ? Y : 0, gate.Z > 0 ? Z : 0, gate.W > 0 ? W : 0);

    /// <summary>These values, or zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V4 If(bool counts) => new(counts ? X : 0, counts ? Y : 0, counts ? Z : 0, counts ? W : 0);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float AtLeast(float x, float least) => x <= least ? least : x;
}

/// <summary>Two adjacent words.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct V2(float x, float y)
{
    public readonly float X = x, Y = y;
}

/// <summary>Sixteen adjacent words, four 128-bit loads from one address.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct Line(V4 a, V4 b, V4 c, V4 d)
{
    public readonly V4 A = a, B = b, C = c, D = d;
}
