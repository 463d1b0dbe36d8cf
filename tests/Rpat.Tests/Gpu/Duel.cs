using Rpat.Engine;
using Rpat.Engine.Gpu;
using Rpat.Engine.Gpu.Queues;
using Rpat.Tests.Ops;
using Rpat.Tests.Reference;

namespace Rpat.Tests.Gpu;

/// <summary>The same values on the CPU and on the GPU, each in its device's layout.</summary>
internal sealed record Pair(Shape Shape, Layout Layout, DeviceBuffer Cpu, DeviceBuffer Gpu);

/// <summary>Says which kernels of the contract a test class runs; <see cref="CoverageTests"/> asks for each of them.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class CoversAttribute(params string[] kernels) : Attribute
{
    public IReadOnlyList<string> Kernels { get; } = kernels;
}

/// <summary>Runs a kernel on the CPU backend and on the GPU's, from the same values, and compares what it left.</summary>
internal sealed class Duel(GpuFixture fixture, Precision precision = Precision.Fp32) : IDisposable
{
    private static readonly Tolerance _fp32 = new(1e-5, 1e-11);

    private readonly Device _cpu = Device.Cpu(1, ConvolutionAlgorithm.Direct);
    private readonly GpuDevice _gpu = fixture.Device(precision);
    private readonly List<Pair> _pairs = [];
    private int _from = fixture.Launches.Count;

    public void Dispose()
    {
        foreach (var pair in _pairs) _gpu.Free(pair.Gpu);
        _cpu.Dispose();
    }

    /// <summary>If not 0, values become multiples of 1/Grid: with 128, those of [−1, 1] are bfloat16 numbers and lose nothing on tensor cores.</summary>
    public int Grid { get; init; }

    /// <summary>Both devices.</summary>
    public IReadOnlyList<Device> Devices => [_cpu, _gpu];

    /// <summary>Values in NCHW order: images, logits, parameters.</summary>
    public Pair Plain(Shape shape, int seed, double low = -1, double high = 1) => Make(shape, Layout.Plain, seed, low, high);

    /// <summary>Activations.</summary>
    public Pair Activation(Shape shape, int seed, double low = -1, double high = 1) => Make(shape, Layout.Blocked, seed, low, high);

    /// <summary>One value per channel, padded as the device wants it.</summary>
    public Pair Channels(int channels, int seed, double low = -1, double high = 1) => Activation(new Shape(1, channels), seed, low, high);

    /// <summary>Class indices.</summary>
    public Pair Labels(params int[] values)
    {
        var pair = Allocate(new Shape(1, values.Length), Layout.Plain);
        _cpu.Upload(values, pair.Cpu);
        _gpu.Upload(values, pair.Gpu);
        return pair;
    }

    /// <summary>Runs on both devices; the second argument picks a pair's buffer of the device.</summary>
    public void Run(Action<IKernels, Func<Pair?, DeviceBuffer?>> kernel)
    {
        kernel(_cpu.Kernels, pair => pair?.Cpu);
        _from = fixture.Launches.Count;
        kernel(_gpu.Kernels, pair => pair?.Gpu);
    }

    /// <summary>Compares a result, and asks that the GPU keeps the padding of activations zero.</summary>
    public void Check(Pair pair, string what, Tolerance? tolerance = null)
    {
        OpGraph.AssertClose(Array(pair, _cpu, pair.Cpu), Array(pair, _gpu, pair.Gpu), tolerance ?? _fp32, Named(what));
        if (pair.Layout == Layout.Blocked) CheckPadding(pair, what);
    }

    /// <summary>Asks for the same bits on both devices.</summary>
    public void CheckBits(Pair pair)
    {
        float[] expected = Values(pair, _cpu, pair.Cpu), values = Values(pair, _gpu, pair.Gpu);
        int at = expected.AsSpan().CommonPrefixLength(values);
        Assert.True(at == expected.Length, Named($"value {at}") + ": other bits");
    }

    // The kernels that the last run launched, for whoever reads of a failure.
    private string Named(string what) => $"{what} after {string.Join(", ", fixture.Launches.Skip(_from).Select(launch => launch.Kernel).Distinct())}";

    private void CheckPadding(Pair pair, string what)
    {
        var stored = new float[pair.Gpu.Length];
        _gpu.Download(pair.Gpu, stored);
        int padded = _gpu.ChannelLength(pair.Shape.C);
        for (int i = 0; i < stored.Length; i++)
            Assert.True(i % padded < pair.Shape.C || stored[i] == 0, $"{what}: channel {i % padded} behind the last is {stored[i]}");
    }

    private Pair Make(Shape shape, Layout layout, int seed, double low, double high)
    {
        var pair = Allocate(shape, layout);
        float[] values = Array4.Uniform(shape.N, shape.C, shape.H, shape.W, seed, low, high).ToFloats();
        if (Grid > 0) values = System.Array.ConvertAll(values, v => MathF.Round(v * Grid) / Grid);
        Upload(pair, _cpu, pair.Cpu, values);
        Upload(pair, _gpu, pair.Gpu, values);
        return pair;
    }

    private Pair Allocate(Shape shape, Layout layout)
    {
        var pair = new Pair(shape, layout, _cpu.Allocate(_cpu.StorageLength(shape, layout)), _gpu.Allocate(_gpu.StorageLength(shape, layout)));
        _pairs.Add(pair);
        return pair;
    }

    private static void Upload(Pair pair, Device device, DeviceBuffer buffer, float[] values)
    {
        if (pair.Layout == Layout.Plain) device.Upload(values, buffer);
        else device.UploadBlocked(values, pair.Shape, buffer);
    }

    private static float[] Values(Pair pair, Device device, DeviceBuffer buffer)
    {
        var values = new float[pair.Shape.Count];
        if (pair.Layout == Layout.Plain) device.Download(buffer, values);
        else device.DownloadBlocked(buffer, pair.Shape, values);
        return values;
    }

    private static Array4 Array(Pair pair, Device device, DeviceBuffer buffer) =>
        Array4.FromFloats(pair.Shape.N, pair.Shape.C, pair.Shape.H, pair.Shape.W, Values(pair, device, buffer));
}

internal static class DuelExtensions
{
    /// <summary>The operand of a pair, with a view if scale and shift are given.</summary>
    public static Operand Operand(this Func<Pair?, DeviceBuffer?> side, Pair data, Pair? scale = null, Pair? shift = null, bool relu = false) =>
        new(side(data)!, side(scale), side(shift), relu);
}
