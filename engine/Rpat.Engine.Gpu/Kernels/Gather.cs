using System.Runtime.CompilerServices;
using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

internal sealed partial class GpuKernels : IGatherKernels
{
    private int[] _rows = [];

    public void GatherRows(int rowLength, DeviceBuffer source, ReadOnlySpan<int> from, DeviceBuffer destination, ReadOnlySpan<int> to)
    {
        int n = from.Length;
        if (n == 0) return;
        if (_rows.Length < 2 * n) _rows = new int[2 * n];
        from.CopyTo(_rows);
        for (int i = 0; i < n; i++) _rows[n + i] = to.IsEmpty ? i : to[i];
        var rows = _scratch.Words(ScratchSlot.Samples, 2 * n).Cast<int>();
        staging.Upload<int>(_rows.AsSpan(0, 2 * n), rows);
        var move = new RowMove(rows, n, rowLength);
        if (rowLength % 4 == 0) ForEach((long)n * (rowLength / 4), new GatherQuad(move, source.Quads(), destination.Quads()));
        else ForEach((long)n * rowLength, new GatherValue(move, source.Floats(), destination.Floats()));
    }
}

/// <summary>Which row goes where: n numbers in the source, then n in the destination.</summary>
internal readonly struct RowMove(ArrayView<int> rows, int n, int length)
{
    /// <summary>Number of rows.</summary>
    public int Count => n;

    /// <summary>Row of an element of the batch that moves, when a row takes <paramref name="parts"/> threads.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int From(int row, int within, int parts) => rows[row] * parts + within;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int To(int row, int within, int parts) => rows[n + row] * parts + within;

    /// <summary>Words of a row.</summary>
    public int Length => length;
}

/// <summary>Rows of whole quads.</summary>
internal readonly struct GatherQuad(RowMove move, ArrayView<V4> source, ArrayView<V4> destination) : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX, quads = move.Length / 4, row = i / quads;
        if (row < move.Count) destination[move.To(row, i - row * quads, quads)] = source[move.From(row, i - row * quads, quads)];
    }
}

/// <summary>Rows of any length.</summary>
internal readonly struct GatherValue(RowMove move, ArrayView<float> source, ArrayView<float> destination) : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX, row = i / move.Length;
        if (row < move.Count) destination[move.To(row, i - row * move.Length, move.Length)] = source[move.From(row, i - row * move.Length, move.Length)];
    }
}
