using ILGPU;
using ILGPU.Runtime;

namespace Rpat.Engine.Gpu;

/// <summary>Device memory, whose lack is the same exception as on every other device.</summary>
internal static class GpuMemory
{
    /// <summary>Allocates words.</summary>
    /// <exception cref="OutOfMemoryException">The GPU has not that much.</exception>
    public static MemoryBuffer1D<float, Stride1D.Dense> Allocate(Accelerator accelerator, long words)
    {
        try
        {
            return accelerator.Allocate1D<float>(words);
        }
        catch (Exception e) when (IsLackOfMemory(e))
        {
            throw new OutOfMemoryException($"The GPU has no room for a buffer of {words * sizeof(float) >> 20} MiB.", e);
        }
    }

    // The driver's own words for its error 2; the package wraps them in an exception of a type that only its CUDA half knows.
    private static bool IsLackOfMemory(Exception e) => e is not OutOfMemoryException && e.Message.Contains("out of memory", StringComparison.OrdinalIgnoreCase);
}
