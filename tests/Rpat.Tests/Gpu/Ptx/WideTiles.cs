using Rpat.Engine.Gpu.Kernels;

namespace Rpat.Tests.Gpu.Ptx;

/// <summary>Layers that are too small for wide tiles have them all the same while a test runs.</summary>
internal static class WideTiles
{
    /// <summary>Runs a test.</summary>
    public static void Within(GpuDevice device, bool wide, Action run)
    {
        var kernels = (GpuKernels)device.Kernels;
        int least = kernels.LeastWideTiles;
        if (wide) kernels.LeastWideTiles = 1;
        try
        {
            run();
        }
        finally
        {
            kernels.LeastWideTiles = least;
        }
    }
}
