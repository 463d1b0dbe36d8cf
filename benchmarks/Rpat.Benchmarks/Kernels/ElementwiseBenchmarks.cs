using BenchmarkDotNet.Attributes;
using Rpat.Engine;

namespace Rpat.Benchmarks;

/// <summary>SiLU of a view and its gradient.</summary>
[BenchmarkCategory("pointwise")]
public class ElementwiseBenchmarks : KernelSuite
{
    private DeviceBuffer _x = null!;
    private DeviceBuffer _y = null!;
    private DeviceBuffer _z = null!;
    private Shape _shape;
    private Operand _view;

    /// <summary>Sizes.</summary>
    public static IEnumerable<TensorSize> Sizes => TensorSize.Activations;

    /// <summary>Size of the activations.</summary>
    [ParamsSource(nameof(Sizes))]
    public TensorSize Size { get; set; } = TensorSize.Activations[0];

    /// <summary>The same tensor copied.</summary>
    [Benchmark(Baseline = true), Moves(1, 1)]
    public void Copy() => CopyAll(_x, _y);

    /// <summary>SiLU of a view.</summary>
    [Benchmark, Moves(1, 1)]
    public void Silu() => Kernels.Elementwise(new Silu(), _shape, Layout.Blocked, _view, _y);

    /// <summary>Its gradient through the view's derivative.</summary>
    [Benchmark, Moves(2, 1)]
    public void SiluGradient() =>
        Kernels.ElementwiseGradient(new Silu(), _shape, Layout.Blocked, _view, _z, through: true, accumulate: false, _y);

    /// <inheritdoc/>
    protected override void Prepare()
    {
        _shape = new Shape(Size.N, Size.C, Size.H, Size.W);
        (_x, _y, _z) = (Filled(_shape), Filled(_shape), Filled(_shape));
        _view = new Operand(_x, PerChannel(Size.C), PerChannel(Size.C), Relu: false);
    }
}
