using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using Rpat.Engine;

namespace Rpat.Benchmarks;

/// <summary>A layer of a real network with a batch size.</summary>
public sealed record ConvSize(ConvLayer Layer, int Batch) : IWorkSize
{
    private ConvShape Shape => Layer.Shape(Batch);

    /// <inheritdoc/>
    public double Flops => Shape.Flops;

    /// <summary>x, w and y.</summary>
    public double Bytes => 4.0 * (Shape.Input.Count + Shape.Output.Count + (double)Shape.K * Shape.C * Shape.R * Shape.R);

    /// <inheritdoc/>
    public override string ToString() => Layer.ToString();
}

/// <summary>Convolution in its three passes at batch 32: what the engine chooses against direct, the baseline of each pass.</summary>
[BenchmarkCategory("conv")]
[Config(typeof(KernelConfig))]
[GroupBenchmarksBy(BenchmarkLogicalGroupRule.ByCategory)]
public class Conv2dBenchmarks
{
    private const string ForwardPass = "forward", InputGradientPass = "dx", WeightGradientPass = "dw";

    private ConvCase _direct = null!;
    private ConvCase _chosen = null!;

    /// <summary>Layers of PreActResNet-18, WideResNet-34-10 and the quick recipe's net.</summary>
    public static IEnumerable<ConvSize> Sizes => new ConvLayer[]
    {
        new(3, 64, 32, 3, 1), new(64, 64, 32, 3, 1), new(128, 128, 16, 3, 1), new(256, 256, 8, 3, 1), new(512, 512, 4, 3, 1),
        new(64, 128, 32, 3, 2), new(256, 512, 8, 3, 2), new(64, 128, 32, 1, 2),
        new(160, 160, 32, 3, 1), new(640, 640, 8, 3, 1), new(16, 16, 28, 3, 1),
    }.Select(layer => new ConvSize(layer, Batch: 32));

    /// <summary>The layer.</summary>
    [ParamsSource(nameof(Sizes))]
    public ConvSize Size { get; set; } = new(new ConvLayer(64, 64, 32, 3, 1), 32);

    /// <summary>Makes the operands.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _direct = new ConvCase(Device.Cpu(convolution: ConvolutionAlgorithm.Direct), Size.Layer, Size.Batch);
        _chosen = new ConvCase(Device.Cpu(), Size.Layer, Size.Batch);
    }

    /// <summary>Frees them.</summary>
    [GlobalCleanup]
    public void Cleanup()
    {
        _direct.Dispose();
        _chosen.Dispose();
    }

    /// <summary>y, direct.</summary>
    [Benchmark(Baseline = true), BenchmarkCategory(ForwardPass), Moves(1, 0)]
    public void ForwardDirect() => _direct.Forward();

    /// <summary>y, by the algorithm that the engine chooses.</summary>
    [Benchmark, BenchmarkCategory(ForwardPass), Moves(1, 0)]
    public void Forward() => _chosen.Forward();

    /// <summary>dx, direct.</summary>
    [Benchmark(Baseline = true), BenchmarkCategory(InputGradientPass), Moves(1, 0)]
    public void InputGradientDirect() => _direct.InputGradient();

    /// <summary>dx, as chosen.</summary>
    [Benchmark, BenchmarkCategory(InputGradientPass), Moves(1, 0)]
    public void InputGradient() => _chosen.InputGradient();

    /// <summary>dw, direct.</summary>
    [Benchmark(Baseline = true), BenchmarkCategory(WeightGradientPass), Moves(1, 0)]
    public void WeightGradientDirect() => _direct.WeightGradient();

    /// <summary>dw, as chosen.</summary>
    [Benchmark, BenchmarkCategory(WeightGradientPass), Moves(1, 0)]
    public void WeightGradient() => _chosen.WeightGradient();
}
