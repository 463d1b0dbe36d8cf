using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using Rpat.Engine.Gpu.Driver;

namespace Rpat.Engine.Gpu;

/// <summary>A CUDA stream beside a device's own, on which a library such as NCCL queues work on the device's memory.</summary>
public sealed class SideStream : IDisposable
{
    private const uint DisableTiming = 2; // CU_EVENT_DISABLE_TIMING

    private readonly CudaStream _compute, _side;
    private readonly nint _event;

    /// <summary>Opens a stream; <see cref="GpuDevice.OpenSideStream"/> calls this.</summary>
    /// <exception cref="DeviceUnavailableException">The driver refuses.</exception>
    internal SideStream(CudaAccelerator accelerator, CudaStream compute)
    {
        (_compute, _side) = (compute, (CudaStream)accelerator.CreateStream());
        accelerator.Bind();
        Check(CudaDriver.cuEventCreate(out _event, DisableTiming), nameof(CudaDriver.cuEventCreate));
    }

    /// <summary>The stream (CUstream).</summary>
    public nint Handle => _side.StreamPtr;

    /// <summary>The device address of a buffer.</summary>
    public nint AddressOf(DeviceBuffer buffer) => buffer.Floats().LoadEffectiveAddressAsPtr();

    /// <summary>What is queued here from now on waits for the kernels queued so far.</summary>
    public void AfterCompute() => Order(_compute, _side);

    /// <summary>Kernels queued from now on wait for what is queued here so far.</summary>
    public void BeforeCompute() => Order(_side, _compute);

    /// <inheritdoc/>
    public void Dispose()
    {
        CudaDriver.cuEventDestroy_v2(_event);
        _side.Dispose();
    }

    private void Order(CudaStream first, CudaStream then)
    {
        _compute.Accelerator.Bind();
        Check(CudaDriver.cuEventRecord(_event, first.StreamPtr), nameof(CudaDriver.cuEventRecord));
        Check(CudaDriver.cuStreamWaitEvent(then.StreamPtr, _event, 0), nameof(CudaDriver.cuStreamWaitEvent));
    }

    private static void Check(int code, string function)
    {
        if (code != 0) throw new DeviceUnavailableException($"the driver answers {CudaDriver.Name(code)} to {function}: resume the run.");
    }
}
