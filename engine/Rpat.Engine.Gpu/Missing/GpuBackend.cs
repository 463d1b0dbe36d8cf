namespace Rpat.Engine.Gpu;

/// <summary>The CUDA backend of a build without the package ILGPU: it has no devices and says why.</summary>
public static class GpuBackend
{
    private const string Why =
        "this build has no CUDA backend: no package feed served ILGPU when it was built; add one that does and build with -p:Ilgpu=on";

    /// <summary>The GPUs, none, and one sentence that says why.</summary>
    public static (IReadOnlyList<GpuInfo> Devices, string? Why) Find() => ([], Why);

    /// <summary>Opens a GPU, which this build cannot.</summary>
    /// <exception cref="DeviceUnavailableException">Always.</exception>
    public static Device Open(int index, Precision precision = Precision.Fp32) =>
        throw new DeviceUnavailableException(
            $"cuda:{index} at {precision.ToString().ToLowerInvariant()} cannot be used: {Why}, or use --device cpu.");

    /// <summary>Compiles every kernel, which this build cannot.</summary>
    /// <exception cref="DeviceUnavailableException">Always.</exception>
    public static IReadOnlyList<PtxKernel> Compile(int major, int minor) =>
        throw new DeviceUnavailableException($"the kernels cannot be compiled for sm_{major}{minor}: {Why}.");
}
