using BenchmarkDotNet.Attributes;
using Rpat.Engine;

namespace Rpat.Benchmarks;

/// <summary>PGD steps: gradient step, projection on the ball, clamp to [0, 1].</summary>
[BenchmarkCategory("attack")]
public class AttackStepBenchmarks : KernelSuite
{
    private DeviceBuffer _x = null!;
    private DeviceBuffer _y = null!;
    private DeviceBuffer _g = null!;

    /// <summary>Sizes.</summary>
    public static IEnumerable<TensorSize> Sizes => TensorSize.Images;

    /// <summary>Size of a batch of images.</summary>
    [ParamsSource(nameof(Sizes))]
    public TensorSize Size { get; set; } = TensorSize.Images[0];

    /// <summary>The same tensor copied.</summary>
    [Benchmark(Baseline = true), Moves(1, 1)]
    public void Copy() => CopyAll(_x, _y);

    /// <summary>A step of the L∞ attack.</summary>
    [Benchmark, Moves(3, 1)]
    public void Linf() => Kernels.LinfStep(_x.Length, _x, _g, 2 / 255f, 8 / 255f, _y);

    /// <summary>A step of the L2 attack.</summary>
    [Benchmark, Moves(3, 1)]
    public void L2() => Kernels.L2Step(Size.N, Size.C * Size.H * Size.W, _x, _g, 15 / 255f, 128 / 255f, ballFirst: false, _y);

    /// <inheritdoc/>
    protected override void Prepare()
    {
        long count = (long)Size.N * Size.C * Size.H * Size.W;
        (_x, _y, _g) = (Filled(count), Filled(count), Filled(count));
    }
}
