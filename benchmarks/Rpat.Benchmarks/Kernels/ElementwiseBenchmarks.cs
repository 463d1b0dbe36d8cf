using BenchmarkDotNet.Attributes;
using Rpat.Engine;

namespace Rpat.Benchmarks;

/// <summary>SiLU and its gradient.</summary>
[BenchmarkCategory("pointwise")]
public class ElementwiseBenchmarks : KernelSuite
{
    private DeviceBuffer _x = null!;
    private DeviceBuffer _y = null!;
    private DeviceBuffer _z = null!;
    private Shape _shape;

    /// <summary>Sizes.</summary>
    public static IEnumerable<TensorSize> Sizes => TensorSize.Activations;

    /// <summary>Size of the activations.</summary>
    [ParamsSource(nameof(Sizes))]
    public TensorSize Size { get; set; } = TensorSize.Activations[0];

    /// <summary>The same tensor copied.</summary>
    [Benchmark(Baseline = true), Moves(1, 1)]
    public void Copy() => CopyAll(_x, _y);

    /// <summary>SiLU.</summary>
    [Benchmark, Moves(1, 1)]
    public void Silu() => Kernels.Elementwise(new Silu(), _shape, Layout.Blocked, _x, _y);

    /// <summary>Its gradient.</summary>
    [Benchmark, Moves(2, 1)]
    public void SiluGradient() => Kernels.ElementwiseGradient(new Silu(), _shape, Layout.Blocked, _x, _z, accumulate: false, _y);

    /// <inheritdoc/>
    protected override void Prepare()
    {
        _shape = new Shape(Size.N, Size.C, Size.H, Size.W);
        (_x, _y, _z) = (Filled(_shape), Filled(_shape), Filled(_shape));
    }
}
