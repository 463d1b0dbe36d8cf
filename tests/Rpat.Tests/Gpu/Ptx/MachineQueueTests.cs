using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using Rpat.Engine.Gpu.Kernels;
using Rpat.Engine.Gpu.Primitives;
using Rpat.Engine.Gpu.Queues;
using Rpat.PtxMachine;

namespace Rpat.Tests.Gpu.Ptx;

/// <summary>What the device of the tests knows about memory.</summary>
public sealed class MachineQueueTests : IDisposable
{
    private const int Words = 8;

    private readonly Context _context = GpuDevice.Make(builder => builder.CPU(CPUDeviceKind.Default));
    private readonly Accelerator _accelerator;
    private readonly MachineQueue _queue;

    public MachineQueueTests()
    {
        _accelerator = _context.CreateCPUAccelerator(0);
        _queue = new MachineQueue(new StreamQueue(_accelerator, _accelerator.DefaultStream));
    }

    public void Dispose()
    {
        _accelerator.Dispose();
        _context.Dispose();
    }

    [Fact]
    public void Memory_that_nobody_wrote_is_not_read()
    {
        using var x = _queue.Allocate(Words);
        using var y = _queue.Allocate(Words);
        var fault = Assert.Throws<PtxFaultException>(() => Scale(x.View, y.View));
        Assert.Equal((PtxFaultKind.UnwrittenGlobal, nameof(ScaleQuad)), (fault.Kind, fault.Kernel));
        _queue.Clear(x.View.BaseView);
        Scale(x.View, y.View);
        Scale(y.View, x.View);
    }

    [Fact]
    public void Freed_memory_is_gone()
    {
        using var y = _queue.Allocate(Words);
        var x = _queue.Allocate(Words);
        var view = x.View.BaseView;
        _queue.Clear(view);
        x.Dispose();
        Assert.Contains("was it freed", Assert.Throws<ArgumentException>(() => Scale(view, y.View)).Message, StringComparison.Ordinal);
    }

    private void Scale(ArrayView<float> x, ArrayView<float> y) =>
        _queue.Load<ScaleQuad>()(new KernelConfig(1, Words), new ScaleQuad(new Flat(x, 1), 2, 0, new Flat(y, 1)));
}
