using ILGPU;
using ILGPU.Runtime;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>The peak multiply-add rate of a GPU: register operands only, in every warp that it can hold.</summary>
internal abstract partial class GpuKernels
{
    private const int GroupsOfProcessor = 16; // several waves, so that the last one, which is not full, counts little
    private const int ChainSteps = 1 << 11;

    /// <summary>Queues multiply-adds; returns the number of operations, a multiply-add counted as two.</summary>
    public double QueueMultiplyAdds()
    {
        bool simulated = accelerator.AcceleratorType != AcceleratorType.Cuda;
        int groups = simulated ? 1 : GroupsOfProcessor * accelerator.NumMultiprocessors, steps = simulated ? 1 : ChainSteps;
        return _precision switch
        {
            Precision.Fp32 => QueueChains(groups, steps),
            Precision.Tf32 => QueueProducts<Tf32>(groups, steps),
            _ => QueueProducts<Bf16>(groups, steps),
        };
    }

    private double QueueChains(int groups, int steps)
    {
        var sums = _scratch.Quads(ScratchSlot.Partial, (long)groups * Threads);
        Launch(groups, Threads, new MultiplyAddChains(steps, 0.5f, sums));
        return 2.0 * MultiplyAddChains.Adds * steps * Threads * groups;
    }

    private double QueueProducts<T>(int groups, int steps) where T : struct, IWord
    {
        var sums = _scratch.Quads(ScratchSlot.Partial, (long)groups * GemmTile.Threads);
        Launch(TensorGroup(new Index3D(groups, 1, 1), 2 * LineTile.StageOfA), new ProductChains<T>(steps, 0.5f, sums));
        return 2.0 * GemmTile.Rows * GemmTile.Columns * ProductChains<T>.Depth * steps * groups;
    }
}

/// <summary>Sixty-four multiply-adds per step in 32 independent sums.</summary>
internal readonly struct MultiplyAddChains(int steps, float factor, ArrayView<V4> sums) : IKernel
{
    /// <summary>Multiply-adds of a thread per step.</summary>
    public const int Adds = 64;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        V4 c0 = new(i), c1 = new(i + 1), c2 = new(i + 2), c3 = new(i + 3), c4 = new(i + 4), c5 = new(i + 5), c6 = new(i + 6),
            c7 = new(i + 7);
        var shift = new V4(factor);
        for (int step = 0; step < steps; step++)
        {
            c0 = Twice(c0, shift);
            c1 = Twice(c1, shift);
            c2 = Twice(c2, shift);
            c3 = Twice(c3, shift);
            c4 = Twice(c4, shift);
            c5 = Twice(c5, shift);
            c6 = Twice(c6, shift);
            c7 = Twice(c7, shift);
        }
        sums[i] = c0 + c1 + c2 + c3 + c4 + c5 + c6 + c7;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private V4 Twice(V4 c, V4 shift) => factor * (factor * c + shift) + shift;
}

/// <summary>The products of one step of a convolution on tensor cores, 16 of them independent, with constant fragments.</summary>
internal readonly struct ProductChains<T>(int steps, float factor, ArrayView<V4> sums) : IKernel where T : struct, IWord
{
    /// <summary>Length of a step of the reduction.</summary>
    public static int Depth => 8 * T.Factors;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        Mma.Begin();
        ArrayView<V4> shared = SharedMemory.GetDynamic<V4>();
        int thread = Group.IdxX;
        for (int i = thread; i < 2 * LineTile.StageOfA / 16; i += GemmTile.Threads) T.Stage(16 * i, new V4(factor), new V4(factor), 1);
        Group.Barrier();
        Mma.LoadA(LineTile.LaneInA(thread));
        Mma.LoadB(LineTile.LaneInA(thread));
        Group.Barrier();
        for (int step = 0; step < steps; step++) T.Multiply();
        Mma.PutTop(16 * thread);
        sums[Grid.IdxX * GemmTile.Threads + thread] = shared[thread];
    }
}
