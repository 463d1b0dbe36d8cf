using BenchmarkDotNet.Attributes;
using Rpat.Engine;
using Rpat.Engine.Nn;

namespace Rpat.Benchmarks;

/// <summary>A layer of a real network, as <c>channels-filters@side/stride</c>.</summary>
public sealed record ConvLayer(int C, int K, int Side, int R, int Stride)
{
    /// <inheritdoc/>
    public override string ToString() => $"{C}-{K}@{Side} {R}x{R}/{Stride}";
}

/// <summary>Convolution in its three passes, Winograd where it applies against direct (the baseline), batch 32.</summary>
[BenchmarkCategory("conv")]
[Config(typeof(KernelConfig))]
public class Conv2dBenchmarks
{
    private const int Batch = 32;

    private readonly List<Case> _cases = [];

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
    public static double Flops(ConvLayer l) => 2.0 * Batch * l.K * l.C * l.R * l.R * (l.Side / l.Stride) * (l.Side / l.Stride);

    /// <summary>Makes the operands.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _cases.Add(new Case(Device.Cpu(convolution: ConvolutionAlgorithm.Direct), Layer));
        _cases.Add(new Case(Device.Cpu(), Layer));
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

    /// <summary>One layer's operands on a device of its own.</summary>
    private sealed class Case : Module, IDisposable
    {
        private readonly ConvShape _shape;
        private readonly Parameter _weight;
        private readonly DeviceBuffer _x;
        private readonly DeviceBuffer _y;
        private readonly DeviceBuffer _forwardFilters;
        private readonly DeviceBuffer _gradientFilters;

        public Case(Device device, ConvLayer l) : base(device)
        {
            _shape = new ConvShape(new Shape(Batch, l.C, l.Side, l.Side), l.C < 16 ? Layout.Plain : Layout.Blocked, l.K, l.R, l.Stride, l.R / 2);
            _weight = DeclareConv("w", l.K, l.C, l.R);
            Build(seed: 1);
            _x = device.Allocate(device.StorageLength(_shape.Input, _shape.InputLayout));
            _y = device.Allocate(device.StorageLength(_shape.Output, Layout.Blocked));
            (_forwardFilters, _gradientFilters) = (Filters(inputGradient: false), Filters(inputGradient: true));
        }

        public void Forward() => Device.Kernels.Conv2dForward(_shape, _x, _forwardFilters, null, _y);

        public void InputGradient() => Device.Kernels.Conv2dInputGradient(_shape, _y, _gradientFilters, default, false, _x);

        public void WeightGradient() => Device.Kernels.Conv2dWeightGradient(_shape, _x, _y, false, _weight.Grad);

        public void Dispose() => Device.Dispose();

        private DeviceBuffer Filters(bool inputGradient)
        {
            var filters = Device.Allocate(Device.Kernels.Conv2dFilterLength(_shape, inputGradient));
            Device.Kernels.Conv2dArrangeFilters(_shape, inputGradient, _weight.Data, filters);
            return filters;
        }
    }
}
