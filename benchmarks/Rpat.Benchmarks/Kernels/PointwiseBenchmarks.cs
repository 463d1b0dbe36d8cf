using BenchmarkDotNet.Attributes;
using Rpat.Engine;

namespace Rpat.Benchmarks;

/// <summary>Views stored, sums, and their gradients.</summary>
[BenchmarkCategory("pointwise")]
public class PointwiseBenchmarks : KernelSuite
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

    /// <summary>A view with ReLU, stored.</summary>
    [Benchmark, Moves(1, 1)]
    public void Apply() => Kernels.Apply(_shape, Layout.Blocked, _view, _y);

    /// <summary>Sum of a view and a stored tensor.</summary>
    [Benchmark, Moves(2, 1)]
    public void Add() => Kernels.Add(_shape, _view, _z, relu: false, _y);

    /// <summary>Gradient of a sum through a view's derivative.</summary>
    [Benchmark, Moves(2, 1)]
    public void AddGradient() => Kernels.AddGradient(_shape, Layout.Blocked, _z, null, _view, accumulate: false, _y);

    /// <inheritdoc/>
    protected override void Prepare()
    {
        _shape = new Shape(Size.N, Size.C, Size.H, Size.W);
        (_x, _y, _z) = (Filled(_shape), Filled(_shape), Filled(_shape));
        _view = new Operand(_x, PerChannel(Size.C), PerChannel(Size.C), Relu: true);
    }
}
