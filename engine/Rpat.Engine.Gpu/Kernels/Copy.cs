using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

internal sealed partial class GpuKernels<S> : ICopyKernels
{
    public void Copy(in CopyShape s, DeviceBuffer x, bool accumulate, DeviceBuffer y) =>
        ForEach(Values(s.To, s.ToLayout), new CopyValue(
            new CopyMap(s), Stored(s.FromLayout, x), accumulate ? 1 : 0, Stored(s.ToLayout, y)));
}

/// <summary>One number per axis.</summary>
internal readonly struct Axis4
{
    private readonly int _n, _c, _h, _w;

    public Axis4(Axes axes)
    {
        _n = axes.N;
        _c = axes.C;
        _h = axes.H;
        _w = axes.W;
    }

    /// <summary>The index of a cell along an axis of the source, given the axes that the source's follow.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Cell Follow(Cell to, Axis4 offset) => new(
        Pick(to, _n) + offset._n, Pick(to, _c) + offset._c, Pick(to, _h) + offset._h, Pick(to, _w) + offset._w);

    /// <summary>Whether each index of a cell is at least this.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool AtMost(Cell cell) => cell.N >= _n && cell.C >= _c && cell.H >= _h && cell.W >= _w;

    /// <summary>Whether each index of a cell is below this.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Above(Cell cell) => cell.N < _n && cell.C < _c && cell.H < _h && cell.W < _w;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Pick(Cell cell, int axis) => axis == 0 ? cell.N : axis == 1 ? cell.C : axis == 2 ? cell.H : cell.W;
}

/// <summary>Which values of the source a copy takes, and which of the target it writes.</summary>
internal readonly struct CopyMap
{
    private readonly Cells _from, _to;
    private readonly Axis4 _order, _offset, _begin, _end, _size, _zero;

    public CopyMap(in CopyShape s)
    {
        _from = new Cells(s.From, s.FromLayout);
        _to = new Cells(s.To, s.ToLayout);
        _order = new Axis4(s.Order);
        _offset = new Axis4(s.Offset);
        _begin = new Axis4(s.Begin);
        _end = new Axis4(s.End.C == s.To.C ? s.End with { C = int.MaxValue } : s.End); // with the last channel its padding
        _size = new Axis4(Axes.Of(s.From));
        _zero = new Axis4(default);
    }

    /// <summary>Whether a value is written.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Writes(int i) => _begin.AtMost(_to[i]) && _end.Above(_to[i]);

    /// <summary>Where a value comes from; -1 for a zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Source(int i)
    {
        Cell from = _order.Follow(_to[i], _offset);
        bool inside = _to.IsChannel(i) && _zero.AtMost(from) && _size.Above(from);
        return inside ? _from.At(from.N, from.C, from.H, from.W) : -1;
    }
}

internal readonly struct CopyValue(CopyMap map, Numbers x, int accumulate, Numbers y) : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        if (i >= y.Count || !map.Writes(i)) return;
        int at = map.Source(i);
        float v = 0;
        if (at >= 0) v = x.Load(at);
        y.Put(i, v, accumulate);
    }
}
