using BenchmarkDotNet.Attributes;
using Rpat.Engine;

namespace Rpat.Benchmarks;

/// <summary>From plain NCHW to the layout of activations and back.</summary>
[BenchmarkCategory("pointwise")]
public class ActivationsBenchmarks : KernelSuite
{
    private DeviceBuffer _x = null!;
    private DeviceBuffer _y = null!;
    private Shape _shape;

    /// <summary>Sizes.</summary>
    public static IEnumerable<TensorSize> Sizes => TensorSize.Activations;

    /// <summary>Size of the activations.</summary>
    [ParamsSource(nameof(Sizes))]
    public TensorSize Size { get; set; } = TensorSize.Activations[0];

    /// <summary>The same tensor copied.</summary>
    [Benchmark(Baseline = true), Moves(1, 1)]
    public void Copy() => CopyAll(_x, _y);

    /// <summary>Plain to activations.</summary>
    [Benchmark, Moves(1, 1)]
    public void ToActivations() => Kernels.ToActivations(_shape, _x, _y);

    /// <summary>Activations to plain.</summary>
    [Benchmark, Moves(1, 1)]
    public void FromActivations() => Kernels.FromActivations(_shape, _x, accumulate: false, _y);

    /// <inheritdoc/>
    protected override void Prepare()
    {
        _shape = new Shape(Size.N, Size.C, Size.H, Size.W);
        (_x, _y) = (Filled(_shape), Filled(_shape));
    }
}
