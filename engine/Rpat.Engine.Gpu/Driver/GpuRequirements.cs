namespace Rpat.Engine.Gpu.Driver;

/// <summary>What a GPU and its driver need for the kernels to run.</summary>
internal static class GpuRequirements
{
    private const int CudaOfNeeded = 11000;

    /// <summary>Why no kernel can run, as the end of a sentence, or null.</summary>
    public static string? Problem(DeviceFacts device, int driver)
    {
        if (PtxVersion.NewestOf(driver).CompareTo(PtxVersion.Needed) < 0)
            return $"its driver knows CUDA {Cuda(driver)} and PTX {PtxVersion.NewestOf(driver)}, "
                + $"and the kernels need PTX {PtxVersion.Needed} (CUDA {Cuda(CudaOfNeeded)}): update NVIDIA's driver";
        return device.Major >= 7 ? null : $"its compute capability is {Capability(device)}, and the kernels need 7.0: choose another GPU";
    }

    /// <summary>Why the GPU cannot multiply in this precision although it is otherwise usable, as the end of a sentence, or null.</summary>
    public static string? Problem(DeviceFacts device, Precision precision) => precision == Precision.Fp32 || device.Major >= 8
        ? null
        : $"its compute capability is {Capability(device)}, and {precision.ToString().ToLowerInvariant()} needs 8.0: "
            + "choose fp32";

    /// <summary>A compute capability as NVIDIA writes it.</summary>
    public static string Capability(DeviceFacts device) => string.Create(CultureInfo.InvariantCulture, $"{device.Major}.{device.Minor}");

    /// <summary>A CUDA version as NVIDIA writes it.</summary>
    public static string Cuda(int version) => string.Create(CultureInfo.InvariantCulture, $"{version / 1000}.{version % 1000 / 10}");
}
