using ILGPU;

namespace Rpat.Engine.Gpu.Primitives;

/// <summary>
/// A plain buffer, read and written in quads if it starts at a 16-byte boundary, which a parameter of a network need not. Its length need
/// not be a multiple of four: the last quad is moved float by float; floats beyond the end read as zero and are never written.
/// </summary>
/// <param name="aligned">1 if it starts at a 16-byte boundary, else 0: all quads are moved float by float.</param>
internal readonly struct Flat(ArrayView<float> floats, int aligned)
{
    private readonly ArrayView<float> _floats = floats;
    private readonly int _aligned = aligned;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V4 Load(int quad)
    {
        int i = 4 * quad, left = _floats.IntLength - i;
        if (left >= 4 && _aligned != 0) return _floats.Cast<V4>()[quad];
        return new V4(
            left > 0 ? _floats[i] : 0, left > 1 ? _floats[i + 1] : 0, left > 2 ? _floats[i + 2] : 0, left > 3 ? _floats[i + 3] : 0);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(int quad, V4 v)
    {
        int i = 4 * quad, left = _floats.IntLength - i;
        if (left >= 4 && _aligned != 0)
        {
            _floats.Cast<V4>()[quad] = v;
            return;
        }
        if (left > 0) _floats[i] = v.X;
        if (left > 1) _floats[i + 1] = v.Y;
        if (left > 2) _floats[i + 2] = v.Z;
        if (left > 3) _floats[i + 3] = v.W;
    }

    /// <summary>Stores, or adds to the current value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Put(int quad, V4 v, int accumulate) => Store(quad, accumulate != 0 ? v + Load(quad) : v);
}
