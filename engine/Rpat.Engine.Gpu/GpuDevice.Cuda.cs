using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using Rpat.Engine.Gpu.Driver;
using Rpat.Engine.Gpu.Graphs;

namespace Rpat.Engine.Gpu;

public sealed partial class GpuDevice
{
    /// <summary>cuBLAS on this device's stream, for benchmarks; the caller disposes of it before the device.</summary>
    /// <param name="why">Why there is none, as the end of a sentence, or null.</param>
    public GemmYardstick? OpenYardstick(out string? why)
    {
        if (_accelerator is CudaAccelerator cuda && _stream is CudaStream stream)
            return GemmYardstick.Open(cuda, stream, Precision, out why);
        why = $"{Name} is no CUDA device";
        return null;
    }

    /// <summary>A stream beside this device's own; null if it is no CUDA device. The caller disposes of it before the device.</summary>
    /// <exception cref="DeviceUnavailableException">The driver refuses.</exception>
    public SideStream? OpenSideStream() =>
        _accelerator is CudaAccelerator cuda && _stream is CudaStream stream ? new SideStream(cuda, stream) : null;

    /// <summary>Opens a CUDA GPU that the driver has already described; <see cref="GpuBackend.Open"/> does both.</summary>
    /// <exception cref="DeviceUnavailableException">The driver or ILGPU refuses.</exception>
    internal static GpuDevice Cuda(int index, Precision precision, IDriver driver, DeviceFacts facts, int version)
    {
        string name = $"cuda:{index}";
        // By the driver's device number: a GPU that ILGPU leaves out must not shift the others.
        var context = Make(builder => builder.Cuda(device => device.DeviceId == index));
        try
        {
            var devices = context.GetCudaDevices();
            if (devices.Count == 0) throw new DeviceUnavailableException($"{name} ({facts.Model}) cannot be used: ILGPU does not list it, "
                + "choose another GPU or use the CPU.");
            var accelerator = devices[0].CreateCudaAccelerator(context);
            GpuDevice? opened = null;
            void Say(string sentence) => opened?.Note(sentence);
            IWorkQueue Guarded(StreamQueue queue) => new GuardedQueue(
                queue, new CudaLoader(accelerator, queue.Stream, name),
                new KernelGuard(driver, name, facts, version, Say), new ThreadGuard(name));
            opened = new GpuDevice(
                context, accelerator, name, precision, new CudaGraphs(accelerator), Guarded,
                pointer => NoteUnlocked(driver, name, pointer, Say));
            return opened;
        }
        catch (Exception e)
        {
            context.Dispose();
            if (e is not AcceleratorException) throw;
            throw new DeviceUnavailableException($"{name} ({facts.Model}) cannot be opened, since the driver answers '{e.Message}': check "
                + "with nvidia-smi that no other program holds it.", e);
        }
    }

    /// <summary>Reports when the upload buffers are not page-locked, so that copies from them are not asynchronous.</summary>
    internal static void NoteUnlocked(IDriver driver, string name, nint pointer, Action<string> say)
    {
        if (!driver.IsPageLocked(pointer)) say($"{name} uploads from memory that is not page-locked, since the driver did not lock it: "
            + "each upload waits until it is done.");
    }
}
