using BenchmarkDotNet.Attributes;
using Rpat.Engine;

namespace Rpat.Benchmarks;

/// <summary>Convolution in its three passes, Winograd where it applies against direct (the baseline), batch 32.</summary>
[BenchmarkCategory("conv")]
[Config(typeof(KernelConfig))]
public class Conv2dBenchmarks
{
    private const int Batch = 32;

    private readonly List<ConvCase> _cases = [];

    /// <summary>Layers of PreActResNet-18, WideResNet-34-10 and the quick recipe's net.</summary>
    public static IEnumerable<ConvLayer> Layers =>
    [
        new(3, 64, 32, 3, 1), new(64, 64, 32, 3, 1), new(128, 128, 16, 3, 1), new(256, 256, 8, 3, 1), new(512, 512, 4, 3, 1),
        new(64, 128, 32, 3, 2), new(256, 512, 8, 3, 2), new(64, 128, 32, 1, 2),
        new(160, 160, 32, 3, 1), new(640, 640, 8, 3, 1), new(16, 16, 28, 3, 1),
    ];

    /// <summary>The layer.</summary>
    [ParamsSource(nameof(Layers))]
    public ConvLayer Layer { get; set; } = new(64, 64, 32, 3, 1);

    /// <summary>Floating-point operations of a call by the direct method.</summary>
    public static double Flops(ConvLayer l) => l.Shape(Batch).Flops;

    /// <summary>Makes the operands.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _cases.Add(new ConvCase(Device.Cpu(convolution: ConvolutionAlgorithm.Direct), Layer, Batch));
        _cases.Add(new ConvCase(Device.Cpu(), Layer, Batch));
    }

    /// <summary>Frees them.</summary>
    [GlobalCleanup]
    public void Cleanup() => _cases.ForEach(c => c.Dispose());

    /// <summary>y, direct.</summary>
    [Benchmark(Baseline = true)]
    public void ForwardDirect() => _cases[0].Forward();

    /// <summary>y, by the algorithm that the engine chooses.</summary>
    [Benchmark]
    public void Forward() => _cases[1].Forward();

    /// <summary>dx, direct.</summary>
    [Benchmark]
    public void InputGradientDirect() => _cases[0].InputGradient();

    /// <summary>dx, as chosen.</summary>
    [Benchmark]
    public void InputGradient() => _cases[1].InputGradient();

    /// <summary>dw, direct.</summary>
    [Benchmark]
    public void WeightGradientDirect() => _cases[0].WeightGradient();

    /// <summary>dw, as chosen.</summary>
    [Benchmark]
    public void WeightGradient() => _cases[1].WeightGradient();
}
