using System.Numerics;
using ILGPU;
using ILGPU.Runtime;

namespace Rpat.Engine.Gpu.Primitives;

/// <summary>
/// A thread for each quad of a matrix, adjacent threads in adjacent quads: a group of 256 takes rows of up to 32 quads, the most that waste
/// no thread, so that a thread finds its row and quad without a division.
/// </summary>
internal readonly struct QuadGrid
{
    private const int Threads = 256;

    private readonly int _shift;

    public QuadGrid(int rows, int quads)
    {
        int whole = quads & -quads, width = whole >= 4 ? whole : (int)BitOperations.RoundUpToPowerOf2((uint)quads);
        (Rows, Quads, _shift) = (rows, quads, BitOperations.Log2((uint)Math.Min(width, 32)));
    }

    public readonly int Rows, Quads;

    /// <summary>Groups for a number of such matrices.</summary>
    public KernelConfig Config(int matrices)
    {
        int rows = Threads >> _shift, quads = 1 << _shift;
        return new(new Index3D((Rows + rows - 1) / rows, (Quads + quads - 1) / quads, matrices), new Index3D(Threads, 1, 1));
    }

    /// <summary>This thread's row, which may be behind the last.</summary>
    public int Row
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (Grid.IdxX * Threads + Group.IdxX) >> _shift;
    }

    /// <summary>This thread's quad, which may be behind the last.</summary>
    public int Quad
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (Grid.IdxY << _shift) + (Group.IdxX & (1 << _shift) - 1);
    }
}
