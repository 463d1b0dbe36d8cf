using BenchmarkDotNet.Attributes;
using Rpat.Engine;

namespace Rpat.Benchmarks;

/// <summary>Batch norm: statistics of a batch, and the gradient behind it.</summary>
[BenchmarkCategory("norm")]
public class BatchNorm2dBenchmarks : KernelSuite
{
    private DeviceBuffer _x = null!;
    private DeviceBuffer _y = null!;
    private DeviceBuffer _dh = null!;
    private DeviceBuffer _dGamma = null!;
    private DeviceBuffer _dBeta = null!;
    private Shape _shape;
    private BatchNormState _state;
    private BatchNormSaved _saved;

    /// <summary>Sizes.</summary>
    public static IEnumerable<TensorSize> Sizes => TensorSize.Activations;

    /// <summary>Size of the activations.</summary>
    [ParamsSource(nameof(Sizes))]
    public TensorSize Size { get; set; } = TensorSize.Activations[0];

    /// <summary>The same tensor copied.</summary>
    [Benchmark(Baseline = true), Moves(1, 1)]
    public void Copy() => CopyAll(_x, _y);

    /// <summary>Batch statistics and the map that they give.</summary>
    [Benchmark, Moves(1, 0)]
    public void Train() => Kernels.BatchNormTrain(_shape, _x, _state, moveRunning: true, _saved);

    /// <summary>The map that the running statistics give.</summary>
    [Benchmark]
    public void Eval() => Kernels.BatchNormEval(_shape.C, _state, _saved);

    /// <summary>dx, dγ and dβ behind batch statistics and a ReLU.</summary>
    [Benchmark, Moves(2, 1)]
    public void Backward() => Kernels.BatchNormBackward(
        _shape, _x, _dh, _saved, relu: true, batchStatistics: true, new BatchNormGradients(_dGamma, _dBeta, false, _y, false));

    /// <inheritdoc/>
    protected override void Prepare()
    {
        _shape = new Shape(Size.N, Size.C, Size.H, Size.W);
        (_x, _y, _dh) = (Filled(_shape), Filled(_shape), Filled(_shape));
        (_dGamma, _dBeta) = (PerChannel(Size.C), PerChannel(Size.C));
        _state = new BatchNormState(PerChannel(Size.C), PerChannel(Size.C), PerChannel(Size.C), PerChannel(Size.C));
        _saved = new BatchNormSaved(PerChannel(Size.C), PerChannel(Size.C), PerChannel(Size.C), PerChannel(Size.C));
    }
}
