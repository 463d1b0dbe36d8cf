using BenchmarkDotNet.Attributes;
using Rpat.Engine;

namespace Rpat.Benchmarks;

/// <summary>The RPAT loss: cross-entropy and the perception term of three logits in one kernel, against the two apart.</summary>
[BenchmarkCategory("loss")]
public class PerceptionBenchmarks : KernelSuite
{
    private DeviceBuffer _x = null!;
    private DeviceBuffer _values = null!;
    private DeviceBuffer _labels = null!;
    private PerceptionLogits _z;
    private PerceptionGradients _d;

    /// <summary>Sizes.</summary>
    public static IEnumerable<TensorSize> Sizes => TensorSize.Logits;

    /// <summary>Images × classes.</summary>
    [ParamsSource(nameof(Sizes))]
    public TensorSize Size { get; set; } = TensorSize.Logits[0];

    /// <summary>Cross-entropy and perception term one after the other.</summary>
    [Benchmark(Baseline = true), Moves(4, 0)]
    public void Apart() => Both();

    /// <summary>Both in one pass.</summary>
    [Benchmark, Moves(3, 0)]
    public void Fused() => Kernels.RpatLoss(Size.N, Size.C, _z, _labels, 0.5f, 1, _values);

    /// <summary>All three gradients of both in one pass.</summary>
    [Benchmark, Moves(3, 3)]
    public void FusedGradient() => Kernels.RpatLossGradient(Size.N, Size.C, _z, _labels, 0.5f, 1f / Size.N, 1, _d);

    /// <inheritdoc/>
    protected override void Prepare()
    {
        long count = (long)Size.N * Size.C;
        _x = Filled(count);
        _z = new PerceptionLogits(Filled(count), Filled(count), _x);
        _d = new PerceptionGradients(Filled(count), Filled(count), Filled(count), false, false, false);
        (_values, _labels) = (Filled(2L * Size.N), Labels(Size.N, Size.C));
    }

    private void Both()
    {
        Kernels.CrossEntropy(Size.N, Size.C, _x, _labels, _values);
        Kernels.Perception(Size.N, Size.C, _z, 0.5f, 1, _values);
    }
}
