using Rpat.Engine.Gpu.Queues;
using Rpat.Tests.Gpu;
using Rpat.Tests.Ops;

namespace Rpat.Tests.Cases;

/// <summary>Runs cases on the GPU backend and compares what they leave with the reference, or with the CPU's bits.</summary>
internal sealed class GpuCheck(GpuFixture fixture, Precision precision = Precision.Fp32)
{
    private readonly GpuDevice _gpu = fixture.Device(precision);

    /// <summary>If not 0, values are multiples of 1/Grid.</summary>
    public int Grid { get; init; }

    /// <summary>The word of its memory at which a plain tensor begins.</summary>
    public int Skew { get; init; }

    /// <summary>Whether variants run too.</summary>
    public bool Every { get; init; } = true;

    /// <summary>What convolutions may be off by; null for what a case allows.</summary>
    public Tolerance? Tolerance { get; init; }

    /// <summary>Whether activations must be those of the CPU that emulates their rounding, bit by bit but for a zero's sign.</summary>
    public bool AsEmulated { get; init; }

    /// <summary>Runs an op's cases.</summary>
    /// <param name="op">The op.</param>
    /// <param name="sizes">Which of its ragged sizes; all if none is given.</param>
    public void Run(string op, params int[] sizes)
    {
        CaseGroup[] groups = [.. OpCases.All.Single(one => one.Op == op).Ragged(Every)];
        foreach (var group in sizes.Length == 0 ? groups : sizes.Select(i => groups[i])) Run(group, _ => true);
    }

    /// <summary>Runs those of a group's cases that are wanted.</summary>
    public void Run(CaseGroup group, Func<KernelCase, bool> wants)
    {
        fixture.Launches.Clear();
        using var cpu = _gpu.RoundsActivations
            ? GpuBackend.EmulateBf16(1, ConvolutionAlgorithm.Direct)
            : Device.Cpu(1, ConvolutionAlgorithm.Direct);
        TestTensors make = new(_gpu) { Grid = Grid, Skew = Skew }, twins = new(cpu) { Grid = Grid };
        try
        {
            foreach (var (one, twin) in group.Make(make).Zip(group.Make(twins)))
                if (wants(one)) Check(make, one, twins, twin, $"{one.Name} at {group}");
        }
        finally
        {
            fixture.Kernels.UnionWith(fixture.Launches.Select(launch => launch.Kernel));
            make.Free();
        }
    }

    private void Check(TestTensors make, KernelCase one, TestTensors twins, KernelCase twin, string what)
    {
        int from = fixture.Launches.Count;
        one.Run(_gpu.Kernels);
        // for whoever reads of a failure
        what += $" after {string.Join(", ", fixture.Launches.Skip(from).Select(launch => launch.Kernel).Distinct())}";
        if (AsEmulated || one.SameBits) twin.Run(twins.Device.Kernels);
        foreach (var (result, other) in one.Results.Zip(twin.Results))
        {
            var left = make.Actual(result);
            OpGraph.AssertClose(result.Expected(), left, Allowed(one, result), what);
            if (AsEmulated && result.Target.Layout == Layout.Blocked)
                Assert.True(twins.Actual(other).Data.AsSpan().SequenceEqual(left.Data), $"{what}: other numbers than on the CPU");
            else if (one.SameBits && !AsEmulated)
                Assert.True(OpGraph.SameBits(twins.Actual(other), left), $"{what}: other bits than on the CPU");
            CheckPadding(result.Target, what);
        }
    }

    private Tolerance Allowed(KernelCase one, CaseResult result)
    {
        if (one.Flops > 0 && Tolerance is { } allowed) return allowed;
        // 2⁻⁸ is half of the last bit
        return _gpu.RoundsActivations && result.Target.Layout == Layout.Blocked ? new(4e-3, 1.6e-5) : one.Tolerance;
    }

    /// <summary>The GPU keeps the padding of activations and of vectors of channels zero.</summary>
    private void CheckPadding(TestTensor target, string what)
    {
        var stored = new float[target.Buffer.Length];
        _gpu.Download(target, stored);
        bool blocked = target.Layout == Layout.Blocked;
        int channels = blocked ? target.Shape.C : (int)target.Shape.Count, padded = blocked ? _gpu.ChannelLength(channels) : stored.Length;
        bool halves = blocked && _gpu.RoundsActivations;
        var numbers = halves ? MemoryMarshal.Cast<float, ushort>(stored).ToArray().Select(bits => (float)bits) : stored;
        foreach (var (i, number) in numbers.Index())
            Assert.True(i % padded < channels || number == 0, $"{what}: channel {i % padded} behind the last is {number}");
    }
}
