using BenchmarkDotNet.Attributes;
using Rpat.Engine;

namespace Rpat.Benchmarks;

/// <summary>Adversarial weight perturbation of one tensor.</summary>
[BenchmarkCategory("optimizer")]
public class WeightPerturbationBenchmarks : KernelSuite
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

    /// <summary>Two norms, then the move.</summary>
    [Benchmark, Moves(4, 2)]
    public void Perturb() => Kernels.PerturbWeights(Size.C, _x, _y, 1e-6f, _v);

    /// <inheritdoc/>
    protected override void Prepare() => (_x, _y, _v) = (Filled(Size.C), Filled(Size.C), Filled(Size.C));
}
