using ILGPU;

namespace Rpat.Engine.Gpu.Primitives;

/// <summary>
/// What a view does to values while they are loaded: [ReLU](scale·x + shift), with one quad of scales and shifts per four channels.
/// </summary>
internal readonly struct Map
{
    private const int Affine = 1, Clamp = 2;

    private readonly ArrayView<V4> _scale;
    private readonly ArrayView<V4> _shift;
    private readonly int _kind;

    public Map(ArrayView<V4> scale, ArrayView<V4> shift, bool relu)
    {
        _scale = scale;
        _shift = shift;
        _kind = (scale.Length > 0 ? Affine : 0) | (relu ? Clamp : 0);
    }

    /// <summary>The value as seen through the view.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V4 Apply(V4 x, int quad)
    {
        V4 v = x;
        if ((_kind & Affine) != 0) v = _scale[quad] * v + _shift[quad];
        return v.AtLeast((_kind & Clamp) != 0 ? 0 : float.NegativeInfinity);
    }

    /// <summary>The gradient <paramref name="g"/> of the value as seen, passed on to the stored value <paramref name="x"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V4 Backward(V4 g, V4 x, int quad)
    {
        if ((_kind & Affine) == 0) return (_kind & Clamp) != 0 ? g.Where(x) : g;
        V4 scale = _scale[quad], v = scale * g;
        return (_kind & Clamp) != 0 ? v.Where(scale * x + _shift[quad]) : v;
    }

    /// <summary>Which of the two a map has, for kernels that are compiled for it.</summary>
    public (bool Affine, bool Relu) Kind => ((_kind & Affine) != 0, (_kind & Clamp) != 0);

    /// <summary>Scales of four channels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V4 Scale(int quad) => _scale[quad];

    /// <summary>Shifts of four channels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V4 Shift(int quad) => _shift[quad];

    /// <summary>Scales of sixteen channels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Line ScaleLine(int line) => _scale.Cast<Line>()[line];

    /// <summary>Shifts of sixteen channels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Line ShiftLine(int line) => _shift.Cast<Line>()[line];

    /// <summary>Whether <see cref="Backward"/> reads the stored value.</summary>
    public bool NeedsValue
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (_kind & Clamp) != 0;
    }
}

/// <summary>A stored activation and the map that its readers apply.</summary>
internal readonly struct Source<S>(Quads<S> data, Map map) where S : struct, IStorage
{
    private readonly Quads<S> _data = data;
    private readonly Map _map = map;

    /// <summary>What readers apply.</summary>
    public Map Map
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _map;
    }

    /// <summary>The same for another name of the storage.</summary>
    public Source<T> As<T>() where T : struct, IStorage => new(_data.As<T>(), _map);

    /// <summary>What is stored.</summary>
    public Quads<S> Data
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _data;
    }

    /// <summary>The value at a quad of the tensor, whose channel quad is <paramref name="channelQuad"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V4 Load(int index, int channelQuad) => _map.Apply(_data.Load(index), channelQuad);

    /// <summary>Passes a gradient on to the stored value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V4 Backward(V4 g, int index, int channelQuad) =>
        _map.Backward(g, _map.NeedsValue ? _data.Load(index) : g, channelQuad);
}
