using BenchmarkDotNet.Attributes;
using Rpat.Engine;

namespace Rpat.Benchmarks;

/// <summary>Global average pooling and 2×2 max pooling behind a view, and their gradients.</summary>
[BenchmarkCategory("pool")]
public class Pool2dBenchmarks : KernelSuite
{
    private DeviceBuffer _x = null!;
    private DeviceBuffer _y = null!;
    private DeviceBuffer _pooled = null!;
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

    /// <summary>Mean over the map.</summary>
    [Benchmark, Moves(1, 0)]
    public void GlobalAverage() => Kernels.GlobalAveragePool(_shape, _view, _pooled);

    /// <summary>Its gradient.</summary>
    [Benchmark, Moves(1, 1)]
    public void GlobalAverageGradient() => Kernels.GlobalAveragePoolGradient(_shape, _pooled, _view, accumulate: false, _y);

    /// <summary>Largest of 2×2.</summary>
    [Benchmark, Moves(1, 0.25)]
    public void Max() => Kernels.MaxPool(_shape, 2, 2, _view, _pooled);

    /// <summary>Its gradient.</summary>
    [Benchmark, Moves(1.25, 1)]
    public void MaxGradient() => Kernels.MaxPoolGradient(_shape, 2, 2, _view, _pooled, default, accumulate: false, _y);

    /// <inheritdoc/>
    protected override void Prepare()
    {
        _shape = new Shape(Size.N, Size.C, Size.H, Size.W);
        (_x, _y, _pooled) = (Filled(_shape), Filled(_shape), Filled(_shape));
        _view = new Operand(_x, PerChannel(Size.C), PerChannel(Size.C), Relu: true);
    }
}
