using Rpat.Engine.Gpu.Queues;
using Rpat.PtxMachine;

namespace Rpat.Tests.Gpu;

/// <summary>One device for each precision and all tests of a class; its kernels run as PTX.</summary>
public class GpuFixture : IDisposable
{
    private readonly Dictionary<Precision, GpuDevice> _devices = [];
    private readonly HashSet<string> _passed = [];

    /// <summary>Kernels that ran, in order; of the machine only.</summary>
    internal List<LaunchReport> Launches { get; } = [];

    /// <summary>Whether what the launches cost in memory is counted too, which takes time.</summary>
    internal bool CountsTraffic { get; set; }

    /// <summary>Names of kernels that cases launched.</summary>
    internal HashSet<string> Kernels { get; } = [];

    /// <summary>Runs what has not passed on this fixture yet.</summary>
    internal void Once(string name, Action check)
    {
        if (_passed.Contains(name)) return;
        check();
        _passed.Add(name);
    }

    internal GpuDevice Device(Precision precision = Precision.Fp32)
    {
        if (!_devices.TryGetValue(precision, out var device)) _devices[precision] = device = Open(precision);
        return device;
    }

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        foreach (var device in _devices.Values) device.Dispose();
    }

    private protected virtual GpuDevice Open(Precision precision) =>
        TestGpu.Open(precision, reported: Launches.Add, counts: () => CountsTraffic);
}

/// <summary>The same on ILGPU's own CPU accelerator, which runs the C# of a kernel instead of its PTX, and no inline PTX.</summary>
public sealed class CpuAcceleratorFixture : GpuFixture
{
    private protected override GpuDevice Open(Precision precision) => GpuDevice.Simulator(precision);
}

/// <summary>
/// Tests on ILGPU's CPU accelerator too, after all others: it has a system thread for each thread of a group, and among busy cores it once
/// gave a sum of zeros that it gives right alone.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class CpuAcceleratorCollection
{
    public const string Name = "cpu accelerator";
}
