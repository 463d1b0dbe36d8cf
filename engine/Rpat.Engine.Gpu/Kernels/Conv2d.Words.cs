using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>
/// What a 32-bit word of shared memory holds: one factor of TF32 or two of bfloat16. A step of the reduction takes sixteen words, two
/// products of eight. Factors of TF32 are float32 in memory and are rounded on their way to shared memory, those of bfloat16 are so in
/// memory too; sums are float32.
/// </summary>
internal interface IWord : IStorage
{
    /// <summary>Factors of a word.</summary>
    static abstract int Factors { get; }

    /// <summary>Four words of adjacent channels in a row, for memory: from the first quad, or from both.</summary>
    static abstract U4 Along(V4 first, V4 second);

    /// <summary>Stores these words to a byte of shared memory, or zeros if <paramref name="counts"/> is zero.</summary>
    static abstract void Stage(int to, V4 first, V4 second, int counts);

    /// <summary>The same, with negative factors as zeros.</summary>
    static abstract void StageRelu(int to, V4 first, V4 second, int counts);

    /// <summary>Adds the products of the loaded fragments to a warp's left half.</summary>
    static abstract void Multiply();

    /// <summary>The same with the right half.</summary>
    static abstract void MultiplyRight();
}

/// <summary>One TF32 factor: the nearest number with 10 bits of mantissa.</summary>
internal readonly struct Tf32 : IWord
{
    public static int Factors
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 1;
    }

    public static int Words
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => F32.Words;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V4 Load(ArrayView<float> words, int quad) => F32.Load(words, quad);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(ArrayView<float> words, ulong address, int quad, V4 v) => F32.Store(words, address, quad, v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U4 Along(V4 first, V4 second) => new(Round(first.X), Round(first.Y), Round(first.Z), Round(first.W));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Stage(int to, V4 first, V4 second, int counts) => RoundedStore.Tf32(to, first, counts);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StageRelu(int to, V4 first, V4 second, int counts) => RoundedStore.ReluTf32(to, first, counts);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Multiply() => Mma.MultiplyTf32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void MultiplyRight() => Mma.MultiplyTf32Right();

    // Adds half of the last kept bit; the tensor cores drop the rest. NaN is left alone: the carry would reach its sign.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Round(float x)
    {
        uint bits = Interop.FloatAsInt(x);
        return (bits & 0x7FFFFFFF) <= 0x7F800000 ? bits + 0x1000 & 0xFFFFE000 : bits;
    }
}

/// <summary>Two bfloat16 factors, the first in the low half: the nearest numbers with 7 bits of mantissa, ties to even.</summary>
internal readonly struct Bf16 : IWord
{
    public static int Factors
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 2;
    }

    public static int Words
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 2;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V4 Load(ArrayView<float> words, int quad)
    {
        V2 two = words.Cast<V2>()[quad];
        return Bfloat16.Wide(two.X, two.Y);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(ArrayView<float> words, ulong address, int quad, V4 v) =>
        RoundedStore.Global(address + (ulong)(8L * quad), v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U4 Along(V4 first, V4 second) =>
        new(Pair(first.X, first.Y), Pair(first.Z, first.W), Pair(second.X, second.Y), Pair(second.Z, second.W));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Stage(int to, V4 first, V4 second, int counts) => RoundedStore.Bf16(to, first, second, counts);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StageRelu(int to, V4 first, V4 second, int counts) => RoundedStore.ReluBf16(to, first, second, counts);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Multiply() => Mma.MultiplyBf16();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void MultiplyRight() => Mma.MultiplyBf16Right();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Pair(float low, float high) => Bfloat16.Round(low) | Bfloat16.Round(high) << 16;
}

/// <summary>Four adjacent words.</summary>
internal readonly struct U4(uint x, uint y, uint z, uint w)
{
    public readonly uint X = x, Y = y, Z = z, W = w;
}

/// <summary>What a kernel knows of its source when it is compiled: which views it has, and whether channels fill a step.</summary>
internal interface IView
{
    /// <summary>Whether values are scaled and shifted by channel.</summary>
    static abstract bool Affine { get; }

    /// <summary>Whether negative values become zeros.</summary>
    static abstract bool Relu { get; }

    /// <summary>
    /// Whether the channels are a multiple of a step's, so that a step has one tap; or in weight gradients of what a thread moves at once.
    /// If not, each quad is found by itself, and the view is read from <see cref="Map"/>.
    /// </summary>
    static abstract bool Whole { get; }
}

/// <summary>Values as they are stored.</summary>
internal readonly struct Plain : IView
{
    public static bool Affine => false;

    public static bool Relu => false;

    public static bool Whole => true;
}

/// <summary>ReLU of the values.</summary>
internal readonly struct Clamped : IView
{
    public static bool Affine => false;

    public static bool Relu => true;

    public static bool Whole => true;
}

/// <summary>scale·x + shift.</summary>
internal readonly struct Scaled : IView
{
    public static bool Affine => true;

    public static bool Relu => false;

    public static bool Whole => true;
}

/// <summary>ReLU of scale·x + shift.</summary>
internal readonly struct ScaledClamped : IView
{
    public static bool Affine => true;

    public static bool Relu => true;

    public static bool Whole => true;
}

/// <summary>Any view, and any number of channels.</summary>
internal readonly struct Mixed : IView
{
    public static bool Affine => false;

    public static bool Relu => false;

    public static bool Whole => false;
}
