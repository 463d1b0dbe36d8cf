using BenchmarkDotNet.Attributes;
using Rpat.Engine;

namespace Rpat.Benchmarks;

/// <summary>Points between images, as RPAT takes them.</summary>
[BenchmarkCategory("images")]
public class LerpBenchmarks : KernelSuite
{
    private DeviceBuffer _x = null!;
    private DeviceBuffer _y = null!;
    private DeviceBuffer _b = null!;

    /// <summary>Sizes.</summary>
    public static IEnumerable<TensorSize> Sizes => TensorSize.Images;

    /// <summary>Size of a batch of images.</summary>
    [ParamsSource(nameof(Sizes))]
    public TensorSize Size { get; set; } = TensorSize.Images[0];

    /// <summary>The same tensor copied.</summary>
    [Benchmark(Baseline = true), Moves(1, 1)]
    public void Copy() => CopyAll(_x, _y);

    /// <summary>x + t·(x′ − x).</summary>
    [Benchmark, Moves(2, 1)]
    public void Lerp() => Kernels.Lerp(_x.Length, _x, _b, 0.5f, _y);

    /// <inheritdoc/>
    protected override void Prepare()
    {
        long count = (long)Size.N * Size.C * Size.H * Size.W;
        (_x, _y, _b) = (Filled(count), Filled(count), Filled(count));
    }
}
