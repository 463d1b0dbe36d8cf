using Rpat.Engine.Gpu.Queues;
using Rpat.PtxMachine;
using Rpat.Tests.Gpu.Graphs;
using Rpat.Tests.Gpu.Ptx;

namespace Rpat.Tests.Gpu;

/// <summary>The GPU backend on a machine that runs the PTX of its kernels.</summary>
internal static class TestGpu
{
    /// <summary>Opens a device.</summary>
    /// <param name="precision">How convolutions multiply.</param>
    /// <param name="driver">What captures steps; without one nothing is captured.</param>
    /// <param name="programs">What runs for a kernel; by default its text as compiled.</param>
    /// <param name="reported">Is told what each launch executed.</param>
    /// <param name="counts">Whether what it cost in memory is counted too; never, if left out.</param>
    public static GpuDevice Open(
        Precision precision = Precision.Fp32, RecordingDriver? driver = null, Func<Type, PtxProgram>? programs = null,
        Action<LaunchReport>? reported = null, Func<bool>? counts = null) =>
        GpuDevice.Simulator(precision, driver, queue =>
        {
            var machine = new MachineQueue(queue, programs) { Reported = reported, CountsTraffic = counts };
            return driver is null ? machine : driver.Through(machine);
        });
}
