using BenchmarkDotNet.Attributes;
using Rpat.Engine;

namespace Rpat.Benchmarks;

/// <summary>Kullback-Leibler divergence of two softmaxes and its gradients.</summary>
[BenchmarkCategory("loss")]
public class KlDivergenceBenchmarks : KernelSuite
{
    private DeviceBuffer _x = null!;
    private DeviceBuffer _y = null!;
    private DeviceBuffer _target = null!;

    /// <summary>Sizes.</summary>
    public static IEnumerable<TensorSize> Sizes => TensorSize.Logits;

    /// <summary>Images × classes.</summary>
    [ParamsSource(nameof(Sizes))]
    public TensorSize Size { get; set; } = TensorSize.Logits[0];

    /// <summary>The same tensor copied.</summary>
    [Benchmark(Baseline = true), Moves(1, 1)]
    public void Copy() => CopyAll(_x, _y);

    /// <summary>Divergence of each image.</summary>
    [Benchmark, Moves(2, 0)]
    public void Loss() => Kernels.KlDivergence(Size.N, Size.C, _target, _x, _y);

    /// <summary>Gradient of the logits.</summary>
    [Benchmark, Moves(2, 1)]
    public void Gradient() => Kernels.KlDivergenceGradient(Size.N, Size.C, _target, _x, 1f / Size.N, accumulate: false, _y);

    /// <summary>Gradient of the target's logits.</summary>
    [Benchmark, Moves(2, 1)]
    public void TargetGradient() => Kernels.KlDivergenceTargetGradient(Size.N, Size.C, _target, _x, 1f / Size.N, accumulate: false, _y);

    /// <inheritdoc/>
    protected override void Prepare()
    {
        long count = (long)Size.N * Size.C;
        (_x, _y, _target) = (Filled(count), Filled(count), Filled(count));
    }
}
