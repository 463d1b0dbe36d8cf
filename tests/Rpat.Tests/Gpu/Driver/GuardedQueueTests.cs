using ILGPU;
using ILGPU.Runtime.Cuda;
using Rpat.Engine.Gpu.Driver;
using Rpat.Engine.Gpu.Queues;
using Rpat.Tests.Gpu.Ptx;

namespace Rpat.Tests.Gpu.Driver;

/// <summary>The queue that a GPU has, before the machine that runs PTX: kernels run through it, and what does not fit is refused.</summary>
public class GuardedQueueTests
{
    private const int Count = 300;

    [Fact]
    public void Kernels_run_through_it()
    {
        using var device = Open(new FakeDriver());
        var buffer = device.Allocate(Count);
        device.Upload(Enumerable.Range(0, Count).Select(i => (float)i).ToArray(), buffer);
        device.Kernels.Scale(Count, buffer, 2, false, buffer);
        float[] doubled = new float[Count];
        device.Download(buffer, doubled);
        Assert.Equal(Enumerable.Range(0, Count).Select(i => 2f * i), doubled);
    }

    [Fact]
    public void A_launch_with_too_many_threads_is_refused_by_the_kernels_name()
    {
        using var device = Open(new FakeDriver { Function = new(255, 128, 0, 0) });
        var buffer = device.Allocate(Count);
        var refused = Assert.Throws<DeviceUnavailableException>(() => device.Kernels.Scale(Count, buffer, 2, false, buffer));
        Assert.Matches(
            @"^Kernel \w+ cannot run with 256 threads per group on cuda:0, where its 255 registers per thread allow 128: ",
            refused.Message);
    }

    [Fact]
    public void A_text_that_is_too_new_is_refused_before_it_is_loaded()
    {
        using var device = Open(new FakeDriver(), cuda: 12000);
        var buffer = device.Allocate(Count);
        var refused = Assert.Throws<DeviceUnavailableException>(() => device.Kernels.Scale(Count, buffer, 2, false, buffer));
        Assert.Matches(@"^Kernel \w+ is compiled to PTX 8\.6, and the driver of cuda:0 \(CUDA 12\.0\) knows PTX up to 8\.0: update "
            + @"NVIDIA's driver\.$", refused.Message);
    }

    [Fact]
    public async Task Another_thread_may_go_on_but_not_at_the_same_time()
    {
        var guard = new ThreadGuard("cuda:0");
        using (guard.Enter())
        {
            using var inner = guard.Enter(); // an op is made of others
        }
        var holding = new TaskCompletionSource();
        var entered = new TaskCompletionSource();
        var holder = Task.Factory.StartNew(() =>
        {
            using var turn = guard.Enter();
            entered.SetResult();
            holding.Task.Wait();
        }, TaskCreationOptions.LongRunning);
        await entered.Task;
        var refused = Assert.Throws<InvalidOperationException>(() => guard.Enter());
        holding.SetResult();
        await holder;
        Assert.Matches(@"^cuda:0 is used by thread \d+ while thread \d+ queues work on it: let one thread use a device at a time, or open "
            + @"it once per thread\.$", refused.Message);
        guard.Enter().Dispose();
    }

    private static GpuDevice Open(FakeDriver driver, int cuda = 12080) => GpuDevice.Simulator(Precision.Fp32, null, queue =>
    {
        var machine = new MachineQueue(queue, null);
        var guard = new KernelGuard(driver, "cuda:0", FakeDriver.H100, cuda, static _ => { });
        return new GuardedQueue(machine, new MachineLoader(machine), guard, new ThreadGuard("cuda:0"));
    });

    /// <summary>Loads onto the machine what a driver would get.</summary>
    private sealed class MachineLoader(IWorkQueue machine) : IKernelLoader
    {
        public (nint Function, Action<KernelConfig, T> Queue) Load<T>(Action<string> check) where T : struct, IKernel
        {
            check(GpuBackend.Compile(typeof(T), new CudaArchitecture(9, 0)).Text);
            return (1, machine.Load<T>());
        }
    }
}
