using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

internal abstract partial class GpuKernels : IWeightPerturbationKernels
{
    private const int NormGroups = 64;

    public void PerturbWeights(long count, DeviceBuffer weights, DeviceBuffer gradients, float gamma, DeviceBuffer perturbation)
    {
        int groups = Math.Min(NormGroups, Ceiling(count, 4 * Threads));
        var partial = _scratch.Words(ScratchSlot.Partial, 4L * groups).Cast<double>();
        var (w, g) = (weights.Floats(), gradients.Floats());
        Launch(groups, Threads, new SquaresGroup((int)count, groups, w, g, partial));
        ForEach(count, new PerturbValue((int)count, groups, partial, w, g, gamma, perturbation.Floats()));
    }
}

/// <summary>Σw² and Σg² of the values of one group, in fixed order.</summary>
internal readonly struct SquaresGroup(int count, int groups, ArrayView<float> w, ArrayView<float> g, ArrayView<double> partial) : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        ArrayView<double> shared = SharedMemory.Allocate<double>(Ball.Threads);
        double ofW = 0, ofG = 0;
        for (int i = Grid.IdxX * Ball.Threads + Group.IdxX; i < count; i += groups * Ball.Threads)
        {
            ofW += (double)w[i] * w[i];
            ofG += (double)g[i] * g[i];
        }
        ofW = Reduce.GroupSum(ofW, shared, Ball.Threads);
        ofG = Reduce.GroupSum(ofG, shared, Ball.Threads);
        if (Group.IdxX != 0) return;
        partial[2 * Grid.IdxX] = ofW;
        partial[2 * Grid.IdxX + 1] = ofG;
    }
}

/// <summary>v = γ‖w‖/(‖g‖ + 1e-20)·g, w ← w + v; every thread adds the few partial sums itself.</summary>
internal readonly struct PerturbValue(
    int count, int groups, ArrayView<double> partial, ArrayView<float> w, ArrayView<float> g, float gamma, ArrayView<float> v) : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        if (i >= count) return;
        double ofW = 0, ofG = 0;
        for (int group = 0; group < groups; group++)
        {
            ofW += partial[2 * group];
            ofG += partial[2 * group + 1];
        }
        float step = (float)(gamma * Math.Sqrt(ofW) / (Math.Sqrt(ofG) + 1e-20)) * g[i];
        v[i] = step;
        w[i] += step;
    }
}
