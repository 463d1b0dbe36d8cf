using BenchmarkDotNet.Attributes;
using Rpat.Engine;
using Rpat.Engine.Random;

namespace Rpat.Benchmarks;

/// <summary>Random starts by Philox.</summary>
[BenchmarkCategory("attack")]
public class AttackStartBenchmarks : KernelSuite
{
    private DeviceBuffer _x = null!;
    private DeviceBuffer _y = null!;
    private readonly RandomKey _key = new(1, Purpose.AttackStart, 1, 0, 0, 0);
    private long[] _samples = [];

    /// <summary>Sizes.</summary>
    public static IEnumerable<TensorSize> Sizes => TensorSize.Images;

    /// <summary>Size of a batch of images.</summary>
    [ParamsSource(nameof(Sizes))]
    public TensorSize Size { get; set; } = TensorSize.Images[0];

    /// <summary>The same tensor copied.</summary>
    [Benchmark(Baseline = true), Moves(1, 1)]
    public void Copy() => CopyAll(_x, _y);

    /// <summary>A point of the L∞ ball.</summary>
    [Benchmark, Moves(1, 1)]
    public void Linf() => Kernels.LinfStart(Size.N, Size.C * Size.H * Size.W, _x, 8 / 255f, _key, _samples, _y);

    /// <summary>A point of the L2 ball.</summary>
    [Benchmark, Moves(1, 1)]
    public void L2() => Kernels.L2Start(Size.N, Size.C * Size.H * Size.W, _x, 128 / 255f, _key, _samples, _y);

    /// <summary>A normal step from the image.</summary>
    [Benchmark, Moves(1, 1)]
    public void Gaussian() => Kernels.GaussianStart(Size.N, Size.C * Size.H * Size.W, _x, 0.001f, _key, _samples, _y);

    /// <inheritdoc/>
    protected override void Prepare()
    {
        long count = (long)Size.N * Size.C * Size.H * Size.W;
        (_x, _y) = (Filled(count), Filled(count));
        _samples = [.. Enumerable.Range(0, Size.N).Select(i => (long)i)];
    }
}
