using ILGPU;
using ILGPU.Runtime;

namespace Rpat.Engine.Gpu.Primitives;

/// <summary>How an activation and its gradient are stored: kernels compute in float32 and are compiled for each storage.</summary>
internal interface IStorage
{
    /// <summary>32-bit words of four channels.</summary>
    static abstract int Words { get; }

    /// <summary>Four channels.</summary>
    static abstract V4 Load(ArrayView<float> words, int quad);

    /// <summary>Stores four channels to a view, whose address in global memory is given too.</summary>
    static abstract void Store(ArrayView<float> words, ulong address, int quad, V4 v);
}

/// <summary>float32, in the precisions fp32 and tf32.</summary>
internal readonly struct F32 : IStorage
{
    public static int Words
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 4;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V4 Load(ArrayView<float> words, int quad) => words.Cast<V4>()[quad];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(ArrayView<float> words, ulong address, int quad, V4 v) => words.Cast<V4>()[quad] = v;
}

/// <summary>An activation, or its gradient: quads of channels.</summary>
internal readonly struct Quads<S> where S : struct, IStorage
{
    private readonly ArrayView<float> _words;

    public Quads(ArrayView<float> words)
    {
        _words = words;
        Address = words.Length > 0 ? (ulong)words.LoadEffectiveAddressAsPtr() : 0;
    }

    /// <summary>Where they are, for inline PTX; the view says what a kernel may access.</summary>
    public readonly ulong Address;

    /// <summary>Number of quads.</summary>
    public int Count
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _words.IntLength / S.Words;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V4 Load(int quad) => S.Load(_words, quad);

    /// <summary>The same for another name of the storage.</summary>
    public Quads<T> As<T>() where T : struct, IStorage => new(_words);

    /// <summary>Where a quad is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong AddressOf(int quad) => Address + (ulong)(4L * S.Words * quad);

    /// <summary>Four words: as many channels, or eight in bfloat16.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V4 LoadWords(int index) => F32.Load(_words, index);

    /// <summary>Sixteen words: as many channels, or 32 in bfloat16.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Line LoadLine(int line) => _words.Cast<Line>()[line];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(int quad, V4 v) => S.Store(_words, Address, quad, v);

    /// <summary>Stores, or adds to the current value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Put(int quad, V4 v, int accumulate) => Store(quad, accumulate != 0 ? Load(quad) + v : v);
}

/// <summary>Single values of a tensor that is plain or an activation, in either storage.</summary>
internal readonly struct Numbers(ArrayView<float> words, int halves)
{
    private readonly ArrayView<float> _words = words;

    /// <summary>Number of values.</summary>
    public int Count
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _words.IntLength << halves;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Load(int i)
    {
        if (halves == 0) return _words[i];
        return Bfloat16.Wide((uint)_words.Cast<ushort>()[i]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(int i, float v)
    {
        if (halves == 0) _words[i] = v;
        else _words.Cast<ushort>()[i] = (ushort)Bfloat16.Round(v);
    }

    /// <summary>Stores, or adds to the current value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Put(int i, float v, int accumulate)
    {
        float sum = v;
        if (accumulate != 0) sum += Load(i);
        Store(i, sum);
    }
}

/// <summary>bfloat16 numbers, the upper halves of float32 numbers.</summary>
internal static class Bfloat16
{
    /// <summary>The number with these 16 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Wide(uint bits) => Interop.IntAsFloat(bits << 16);

    /// <summary>The bits of the nearest number, ties to even; NaN stays.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Round(float x)
    {
        uint bits = Interop.FloatAsInt(x);
        return ((bits & 0x7FFFFFFF) <= 0x7F800000 ? bits + 0x7FFF + (bits >> 16 & 1) : bits) >> 16;
    }

    /// <summary>Four numbers of two words; the lower half of a word is the first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V4 Wide(float first, float second)
    {
        uint a = Interop.FloatAsInt(first), b = Interop.FloatAsInt(second);
        return new V4(Wide(a), Interop.IntAsFloat(a & 0xFFFF0000), Wide(b), Interop.IntAsFloat(b & 0xFFFF0000));
    }
}
