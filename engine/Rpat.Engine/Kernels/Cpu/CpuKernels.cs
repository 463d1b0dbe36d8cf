namespace Rpat.Engine.Kernels.Cpu;

/// <summary>The CPU backend's kernels, one file per op, with the same name as in <c>Ops/</c>.</summary>
internal unsafe partial class CpuKernels(WorkerPool pool, InstructionSet set, ConvolutionAlgorithm convolution, int l2) : IKernels
{
    private readonly WorkerPool _pool = pool;
    private readonly ConvolutionAlgorithm _convolution = convolution;
    private readonly Tile.Sums _sums = Tile.SumsFor(set);
    private readonly Tile.Product[] _products = Tile.ProductsFor(set);

    /// <summary>The threads that all kernels run on.</summary>
    public WorkerPool Pool => _pool;

    /// <summary>Floats per item of an element-wise job: few, so that one image batch occupies all threads.</summary>
    private const int Grain = 4 << 10;

    private static int Pieces(long count) => (int)((count + Grain - 1) / Grain);
}
