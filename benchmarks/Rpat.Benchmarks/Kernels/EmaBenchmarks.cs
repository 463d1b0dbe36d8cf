using BenchmarkDotNet.Attributes;
using Rpat.Engine;

namespace Rpat.Benchmarks;

/// <summary>Exponential averages of the parameters.</summary>
[BenchmarkCategory("optimizer")]
public class EmaBenchmarks : KernelSuite
{
    private DeviceBuffer _x = null!;
    private DeviceBuffer _y = null!;

    /// <summary>Sizes.</summary>
    public static IEnumerable<TensorSize> Sizes => TensorSize.Parameters;

    /// <summary>One stretch of parameters.</summary>
    [ParamsSource(nameof(Sizes))]
    public TensorSize Size { get; set; } = TensorSize.Parameters[0];

    /// <summary>The same tensor copied.</summary>
    [Benchmark(Baseline = true), Moves(1, 1)]
    public void Copy() => CopyAll(_x, _y);

    /// <summary>average ← decay·average + (1 − decay)·w.</summary>
    [Benchmark, Moves(2, 1)]
    public void Ema() => Kernels.Ema(_x.Length, _y, _x, 0.999f);

    /// <inheritdoc/>
    protected override void Prepare()
    {
        (_x, _y) = (Filled(Size.C), Filled(Size.C));
    }
}
