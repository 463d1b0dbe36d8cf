namespace Rpat.Engine.Gpu;

/// <summary>The CUDA backend of a build without the package ILGPU: it has no devices and says why.</summary>
public static class GpuBackend
{
    private const string Why =
        "this build has no CUDA backend: no package feed served ILGPU when it was built; add one that does and build with -p:Ilgpu=on";

    /// <summary>The GPUs, none, and one sentence that says why.</summary>
    public static (IReadOnlyList<GpuInfo> Devices, string? Why) Find() => ([], Why);
}
