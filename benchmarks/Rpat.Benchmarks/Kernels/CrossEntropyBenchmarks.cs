using BenchmarkDotNet.Attributes;
using Rpat.Engine;

namespace Rpat.Benchmarks;

/// <summary>Softmax cross-entropy and its gradient.</summary>
[BenchmarkCategory("loss")]
public class CrossEntropyBenchmarks : KernelSuite
{
    private DeviceBuffer _x = null!;
    private DeviceBuffer _y = null!;
    private DeviceBuffer _labels = null!;

    /// <summary>Sizes.</summary>
    public static IEnumerable<TensorSize> Sizes => TensorSize.Logits;

    /// <summary>Images × classes.</summary>
    [ParamsSource(nameof(Sizes))]
    public TensorSize Size { get; set; } = TensorSize.Logits[0];

    /// <summary>The same tensor copied.</summary>
    [Benchmark(Baseline = true), Moves(1, 1)]
    public void Copy() => CopyAll(_x, _y);

    /// <summary>Loss of each image.</summary>
    [Benchmark, Moves(1, 0)]
    public void Loss() => Kernels.CrossEntropy(Size.N, Size.C, _x, _labels, _y);

    /// <summary>Gradient of the logits.</summary>
    [Benchmark, Moves(1, 1)]
    public void Gradient() => Kernels.CrossEntropyGradient(Size.N, Size.C, _x, _labels, 1f / Size.N, accumulate: false, _y);

    /// <inheritdoc/>
    protected override void Prepare()
    {
        (_x, _y) = (Filled((long)Size.N * Size.C), Filled((long)Size.N * Size.C));
        _labels = Labels(Size.N, Size.C);
    }
}
