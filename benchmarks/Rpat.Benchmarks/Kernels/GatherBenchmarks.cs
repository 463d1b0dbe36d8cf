using BenchmarkDotNet.Attributes;
using Rpat.Engine;

namespace Rpat.Benchmarks;

/// <summary>Batches of some of a batch's images.</summary>
[BenchmarkCategory("images")]
public class GatherBenchmarks : KernelSuite
{
    private DeviceBuffer _x = null!;
    private DeviceBuffer _y = null!;
    private int[] _from = [];

    /// <summary>Sizes.</summary>
    public static IEnumerable<TensorSize> Sizes => TensorSize.Images;

    /// <summary>Size of a batch of images.</summary>
    [ParamsSource(nameof(Sizes))]
    public TensorSize Size { get; set; } = TensorSize.Images[0];

    /// <summary>The same tensor copied.</summary>
    [Benchmark(Baseline = true), Moves(1, 1)]
    public void Copy() => CopyAll(_x, _y);

    /// <summary>All images in reverse.</summary>
    [Benchmark, Moves(1, 1)]
    public void Gather() => Kernels.GatherRows(Size.C * Size.H * Size.W, _x, _from, _y, []);

    /// <inheritdoc/>
    protected override void Prepare()
    {
        long count = (long)Size.N * Size.C * Size.H * Size.W;
        (_x, _y) = (Filled(count), Filled(count));
        _from = [.. Enumerable.Range(0, Size.N).Reverse()];
    }
}
