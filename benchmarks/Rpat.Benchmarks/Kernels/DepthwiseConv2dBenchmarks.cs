using BenchmarkDotNet.Attributes;
using Rpat.Engine;

namespace Rpat.Benchmarks;

/// <summary>A depthwise 3×3 layer, as <c>batch:channels@side/stride</c>.</summary>
public sealed record DepthwiseSize(int N, int C, int Side, int Stride) : IWorkSize
{
    /// <summary>The layer's sizes.</summary>
    public DepthwiseShape Shape => new(new Shape(N, C, Side, Side), R: 3, Stride, Padding: 1);

    /// <inheritdoc/>
    public double Flops => 2.0 * 9 * N * C * Shape.P * Shape.P;

    /// <summary>x, y and w.</summary>
    public double Bytes => 4.0 * N * C * (Side * Side + Shape.P * Shape.P);

    /// <inheritdoc/>
    public override string ToString() => $"{N}:{C}@{Side}/{Stride}";
}

/// <summary>Depthwise convolution in its three passes on MobileNetV2's layers; a copy of the input is the baseline.</summary>
[BenchmarkCategory("conv")]
public class DepthwiseConv2dBenchmarks : KernelSuite
{
    private DeviceBuffer _x = null!;
    private DeviceBuffer _y = null!;
    private DeviceBuffer _dx = null!;
    private DeviceBuffer _w = null!;

    /// <summary>Layers.</summary>
    public static IEnumerable<DepthwiseSize> Sizes => [new(64, 32, 32, 1), new(64, 144, 32, 1), new(64, 192, 32, 2), new(64, 576, 8, 1), new(64, 960, 4, 1)];

    /// <summary>The layer.</summary>
    [ParamsSource(nameof(Sizes))]
    public DepthwiseSize Size { get; set; } = new(64, 32, 32, 1);

    /// <summary>The input copied.</summary>
    [Benchmark(Baseline = true)]
    public void Copy() => CopyAll(_x, _dx);

    /// <summary>y.</summary>
    [Benchmark, Moves(1, 0)]
    public void Forward() => Kernels.DepthwiseForward(Size.Shape, _x, _w, _y);

    /// <summary>dx.</summary>
    [Benchmark, Moves(1, 0)]
    public void InputGradient() => Kernels.DepthwiseInputGradient(Size.Shape, _y, _w, default, accumulate: false, _dx);

    /// <summary>dw.</summary>
    [Benchmark, Moves(1, 0)]
    public void WeightGradient() => Kernels.DepthwiseWeightGradient(Size.Shape, _x, _y, accumulate: false, _w);

    /// <inheritdoc/>
    protected override void Prepare()
    {
        var s = Size.Shape;
        (_x, _dx) = (Filled(s.Input), Filled(s.Input));
        (_y, _w) = (Filled(new Shape(Size.N, Size.C, s.P, s.P)), Filled(9L * Size.C));
    }
}
