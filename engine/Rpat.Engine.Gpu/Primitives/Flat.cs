using ILGPU;

namespace Rpat.Engine.Gpu.Primitives;

/// <summary>
/// A plain buffer that starts at a 16-byte boundary, read and written in quads. Its length need not be a multiple of four: the last quad is
/// moved float by float; floats beyond the end read as zero and are never written.
/// </summary>
internal readonly struct Flat(ArrayView<float> floats)
{
    private readonly ArrayView<float> _floats = floats;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V4 Load(int quad)
    {
        int i = 4 * quad, left = _floats.IntLength - i;
        if (left >= 4) return _floats.Cast<V4>()[quad];
        return new V4(left > 0 ? _floats[i] : 0, left > 1 ? _floats[i + 1] : 0, left > 2 ? _floats[i + 2] : 0, 0);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(int quad, V4 v)
    {
        int i = 4 * quad, left = _floats.IntLength - i;
        if (left >= 4)
        {
            _floats.Cast<V4>()[quad] = v;
            return;
        }
        if (left > 0) _floats[i] = v.X;
        if (left > 1) _floats[i + 1] = v.Y;
        if (left > 2) _floats[i + 2] = v.Z;
    }

    /// <summary>Stores, or adds to the current value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Put(int quad, V4 v, int accumulate) => Store(quad, accumulate != 0 ? v + Load(quad) : v);
}
