using BenchmarkDotNet.Attributes;

namespace Rpat.Benchmarks;

/// <summary>One kernel of an op at a layer of PreActResNet-18.</summary>
/// <param name="cases">The op.</param>
/// <param name="group">Which of its groups.</param>
/// <param name="index">Which case of the group.</param>
/// <param name="name">What it is.</param>
public sealed class TimedKernel(OpCases cases, int group, int index, string name)
{
    private const int Batch = 64;
    private (double Flops, double Bytes)? _work;

    /// <summary>Operations and minimum bytes of a call.</summary>
    public (double Flops, double Bytes) Work => _work ??= Measured();

    /// <summary>The kernel on a device, which frees the operands when it is disposed.</summary>
    public KernelCase On(Device device) => cases.Layers(Batch).ElementAt(group).Make(new TestTensors(device)).ElementAt(index);

    /// <summary>All kernels of an op; a batch of one image suffices for their names.</summary>
    public static IEnumerable<TimedKernel> Of(OpCases cases)
    {
        using var device = Device.Cpu();
        return [.. cases.Layers(batch: 1).SelectMany((group, i) =>
            group.Make(new TestTensors(device)).Select((one, j) => new TimedKernel(cases, i, j, one.Name)))];
    }

    /// <inheritdoc/>
    public override string ToString() => name;

    private (double Flops, double Bytes) Measured()
    {
        using var device = Device.Cpu();
        var one = On(device);
        return (one.Flops, one.Bytes);
    }
}

/// <summary>
/// An op's kernels next to a baseline: the direct algorithm for convolutions, otherwise a copy of the same number of bytes.
/// </summary>
/// <typeparam name="TCases">The op's cases.</typeparam>
[Config(typeof(KernelConfig))]
public class OpBenchmarks<TCases> where TCases : OpCases, new()
{
    private readonly Device _device = Device.Cpu(), _direct = Device.Cpu(convolution: ConvolutionAlgorithm.Direct);
    private KernelCase _one = null!, _baseline = null!;

    /// <summary>The kernels.</summary>
    public static IEnumerable<TimedKernel> Kernels { get; } = TimedKernel.Of(new TCases());

    /// <summary>The kernel.</summary>
    [ParamsSource(nameof(Kernels))]
    public TimedKernel Kernel { get; set; } = null!;

    /// <summary>Makes the operands.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _one = Kernel.On(_device);
        _baseline = _one.Flops > 0 ? Kernel.On(_direct) : Copy(_direct, (long)_one.Bytes / (2 * sizeof(float)));
    }

    /// <summary>Frees them.</summary>
    [GlobalCleanup]
    public void Cleanup()
    {
        _device.Dispose();
        _direct.Dispose();
    }

    /// <summary>The baseline that the kernel is compared with.</summary>
    [Benchmark(Baseline = true)]
    public void Baseline() => _baseline.Run(_direct.Kernels);

    /// <summary>The kernel.</summary>
    [Benchmark]
    public void Run() => _one.Run(_device.Kernels);

    private static KernelCase Copy(Device device, long words)
    {
        DeviceBuffer from = device.Allocate(words), to = device.Allocate(words);
        return new("copy", k => k.Scale(words, from, 1, accumulate: false, to)) { Covers = ["Scale"] };
    }
}
