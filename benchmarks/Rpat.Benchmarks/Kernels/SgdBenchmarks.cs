using BenchmarkDotNet.Attributes;
using Rpat.Engine;

namespace Rpat.Benchmarks;

/// <summary>Stochastic gradient descent with momentum and weight decay over all parameters.</summary>
[BenchmarkCategory("optimizer")]
public class SgdBenchmarks : KernelSuite
{
    private DeviceBuffer _x = null!;
    private DeviceBuffer _y = null!;
    private DeviceBuffer _v = null!;

    /// <summary>Sizes.</summary>
    public static IEnumerable<TensorSize> Sizes => TensorSize.Parameters;

    /// <summary>One stretch of parameters.</summary>
    [ParamsSource(nameof(Sizes))]
    public TensorSize Size { get; set; } = TensorSize.Parameters[0];

    /// <summary>The same tensor copied.</summary>
    [Benchmark(Baseline = true), Moves(1, 1)]
    public void Copy() => CopyAll(_x, _y);

    /// <summary>w, v and g in one pass.</summary>
    [Benchmark, Moves(3, 2)]
    public void Sgd() => Kernels.Sgd(_x.Length, _x, _y, _v, new SgdStep(1e-6f, 0.9f, 5e-4f, Nesterov: false));

    /// <inheritdoc/>
    protected override void Prepare()
    {
        (_x, _y, _v) = (Filled(Size.C), Filled(Size.C), Filled(Size.C));
    }
}
