using BenchmarkDotNet.Attributes;
using Rpat.Engine;

namespace Rpat.Benchmarks;

/// <summary>Mean squared difference of logits and its gradient.</summary>
[BenchmarkCategory("loss")]
public class MeanSquaredErrorBenchmarks : KernelSuite
{
    private DeviceBuffer _x = null!;
    private DeviceBuffer _y = null!;
    private DeviceBuffer _b = null!;

    /// <summary>Sizes.</summary>
    public static IEnumerable<TensorSize> Sizes => TensorSize.Logits;

    /// <summary>Images × classes.</summary>
    [ParamsSource(nameof(Sizes))]
    public TensorSize Size { get; set; } = TensorSize.Logits[0];

    /// <summary>The same tensor copied.</summary>
    [Benchmark(Baseline = true), Moves(1, 1)]
    public void Copy() => CopyAll(_x, _y);

    /// <summary>Loss of each image.</summary>
    [Benchmark, Moves(2, 0)]
    public void Loss() => Kernels.MeanSquaredError(Size.N, Size.C, _x, _b, _y);

    /// <summary>Gradient.</summary>
    [Benchmark, Moves(2, 1)]
    public void Gradient() => Kernels.MeanSquaredErrorGradient(Size.N, Size.C, _x, _b, 1f / Size.N, accumulate: false, _y);

    /// <inheritdoc/>
    protected override void Prepare()
    {
        long count = (long)Size.N * Size.C;
        (_x, _y, _b) = (Filled(count), Filled(count), Filled(count));
    }
}
