using BenchmarkDotNet.Attributes;
using Rpat.Engine;

namespace Rpat.Benchmarks;

/// <summary>A bias a channel, and its gradient.</summary>
[BenchmarkCategory("pointwise")]
public class ChannelBiasBenchmarks : KernelSuite
{
    private DeviceBuffer _x = null!;
    private DeviceBuffer _y = null!;
    private DeviceBuffer _bias = null!;
    private Shape _shape;

    /// <summary>Sizes.</summary>
    public static IEnumerable<TensorSize> Sizes => TensorSize.Activations;

    /// <summary>Size of the activations.</summary>
    [ParamsSource(nameof(Sizes))]
    public TensorSize Size { get; set; } = TensorSize.Activations[0];

    /// <summary>The same tensor copied.</summary>
    [Benchmark(Baseline = true), Moves(1, 1)]
    public void Copy() => CopyAll(_x, _y);

    /// <summary>y = x + bias.</summary>
    [Benchmark, Moves(1, 1)]
    public void Forward() => Kernels.ChannelBias(_shape, _x, _bias, _y);

    /// <summary>dbias.</summary>
    [Benchmark, Moves(1, 0)]
    public void Gradient() => Kernels.ChannelBiasGradient(_shape, _x, accumulate: false, _bias);

    /// <inheritdoc/>
    protected override void Prepare()
    {
        _shape = new Shape(Size.N, Size.C, Size.H, Size.W);
        (_x, _y, _bias) = (Filled(_shape), Filled(_shape), PerChannel(Size.C));
    }
}
