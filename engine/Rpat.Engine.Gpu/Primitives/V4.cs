namespace Rpat.Engine.Gpu.Primitives;

/// <summary>
/// Four neighbouring floats: what one 128-bit load or store moves. In activations these are four channels of a pixel. Its fields
/// are registers, never an array: the compiler keeps anything that is indexed in local memory.
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

    // A product and a sum, not FusedMultiplyAdd: the assembler contracts these to one fma, that would be a library call.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V4 operator +(V4 a, V4 b) => new(a.X + b.X, a.Y + b.Y, a.Z + b.Z, a.W + b.W);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V4 operator -(V4 a, V4 b) => new(a.X - b.X, a.Y - b.Y, a.Z - b.Z, a.W - b.W);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V4 operator *(V4 a, V4 b) => new(a.X * b.X, a.Y * b.Y, a.Z * b.Z, a.W * b.W);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V4 operator *(float a, V4 b) => new(a * b.X, a * b.Y, a * b.Z, a * b.W);

    /// <summary>Negative values become zero; a NaN stays one, as in PyTorch's ReLU.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V4 Relu() => new(Relu(X), Relu(Y), Relu(Z), Relu(W));

    /// <summary>These values where <paramref name="gate"/> is positive, else zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V4 Where(V4 gate) => new(gate.X > 0 ? X : 0, gate.Y > 0 ? Y : 0, gate.Z > 0 ? Z : 0, gate.W > 0 ? W : 0);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Relu(float x) => x <= 0 ? 0 : x;
}
