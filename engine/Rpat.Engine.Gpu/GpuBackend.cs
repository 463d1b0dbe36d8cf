using ILGPU;
using ILGPU.Runtime.Cuda;

namespace Rpat.Engine.Gpu;

/// <summary>What the CUDA backend finds on this machine.</summary>
public static class GpuBackend
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
}
