using ILGPU;
using ILGPU.Runtime.Cuda;

namespace Rpat.Engine.Gpu;

/// <summary>What the CUDA backend finds on this machine.</summary>
public static partial class GpuBackend
{
    /// <summary>The GPUs by number, and one sentence that says why there is none.</summary>
    public static (IReadOnlyList<GpuInfo> Devices, string? Why) Find()
    {
        try
        {
            using var context = Context.Create(builder => builder.Cuda());
            var found = new List<GpuInfo>();
            foreach (var device in context.GetCudaDevices())
                found.Add(new GpuInfo($"cuda:{found.Count}", device.Name, device.MemorySize, device.NumMultiprocessors));
            return (found, found.Count > 0 ? null : "the CUDA driver found no GPU: check that nvidia-smi lists one");
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException or EntryPointNotFoundException)
        {
            return ([], $"the CUDA driver could not be loaded ({e.Message.ReplaceLineEndings(" ")}): install NVIDIA's driver");
        }
    }

    /// <summary>Opens a GPU.</summary>
    /// <param name="index">Which, counted from 0 as the driver counts.</param>
    /// <param name="precision">How convolutions multiply.</param>
    /// <exception cref="DeviceUnavailableException">There is no such GPU.</exception>
    public static Device Open(int index, Precision precision = Precision.Fp32)
    {
        var (devices, why) = Find();
        if (index >= 0 && index < devices.Count) return GpuDevice.Cuda(index, precision);
        throw new DeviceUnavailableException(why is not null
            ? $"cuda:{index} cannot be used: {why}, or use --device cpu."
            : $"cuda:{index} cannot be used: this machine has cuda:0 to cuda:{devices.Count - 1}.");
    }
}
