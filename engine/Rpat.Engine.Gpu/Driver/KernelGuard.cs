using ILGPU;

namespace Rpat.Engine.Gpu.Driver;

/// <summary>A kernel that the driver has loaded.</summary>
internal sealed class LoadedKernel(string name, nint function, FunctionFacts facts)
{
    public string Name => name;

    public nint Function => function;

    public FunctionFacts Facts => facts;

    /// <summary>Dynamic shared memory that it may currently be launched with.</summary>
    public int AllowedShared { get; set; } = KernelGuard.SharedOfAll - facts.SharedBytes;
}

/// <summary>
/// Checks each kernel before it is loaded and before it is launched, so that an error that would otherwise come later names the kernel.
/// </summary>
internal sealed class KernelGuard(IDriver driver, string name, DeviceFacts device, int version, Action<string> note)
{
    /// <summary>Shared memory that a group may use by default; more must be enabled per function.</summary>
    public const int SharedOfAll = 48 << 10;

    /// <summary>Refuses PTX that the driver or the device is too old for.</summary>
    /// <exception cref="DeviceUnavailableException">The driver or the device is too old.</exception>
    public void RequireText(string kernel, string text)
    {
        if (PtxVersion.Of(text) is not { } asked) return; // not PTX: the driver reports it
        var newest = PtxVersion.NewestOf(version);
        if (asked.Version.CompareTo(newest) > 0)
            throw new DeviceUnavailableException(
                $"Kernel {kernel} is compiled to PTX {asked.Version}, and the driver of {name} (CUDA {GpuRequirements.Cuda(version)}) "
                    + $"knows PTX up to {newest}: update NVIDIA's driver.");
        if (asked.Architecture > 10 * device.Major + device.Minor)
            throw new DeviceUnavailableException(
                $"Kernel {kernel} is compiled for sm_{asked.Architecture}, and {name} has compute capability "
                    + $"{GpuRequirements.Capability(device)}: report it with the output of 'rpat devices'.");
    }

    /// <summary>Reads a kernel's resource use, and notes spilled registers.</summary>
    public LoadedKernel Describe(string kernel, nint function)
    {
        var facts = driver.Describe(function);
        if (facts.LocalBytes > 0) note($"{name} keeps {facts.LocalBytes} bytes of each thread of {kernel} in memory, since its "
            + $"{facts.Registers} registers are not enough: the kernel is right but slow.");
        return new LoadedKernel(kernel, function, facts);
    }

    /// <summary>Refuses a launch that does not fit, and enables the shared memory that it needs.</summary>
    /// <exception cref="DeviceUnavailableException">It does not fit.</exception>
    public void RequireLaunch(LoadedKernel kernel, Index3D grid, long threads, int dynamicShared)
    {
        if (Math.Max(grid.Y, grid.Z) > MostGroups)
            throw new DeviceUnavailableException(
                $"Kernel {kernel.Name} cannot run with {grid.X}x{grid.Y}x{grid.Z} groups: CUDA allows {MostGroups} along y and z, so "
                    + "choose a smaller layer or batch, and report it with the output of 'rpat devices'.");
        if (threads > kernel.Facts.MostThreads)
            throw new DeviceUnavailableException(
                $"Kernel {kernel.Name} cannot run with {threads} threads per group on {name}, where its {kernel.Facts.Registers} registers "
                    + $"per thread allow {kernel.Facts.MostThreads}: "
                + "report it with the output of 'rpat devices'.");
        if (dynamicShared > kernel.AllowedShared) Allow(kernel, dynamicShared);
    }

    private const int MostGroups = 65_535;

    private void Allow(LoadedKernel kernel, int dynamicShared)
    {
        int most = device.SharedBytes - kernel.Facts.SharedBytes;
        if (dynamicShared > most)
            throw new DeviceUnavailableException(
                $"Kernel {kernel.Name} needs {dynamicShared} bytes of dynamic shared memory per group, and {name} has {most} for it: "
                    + "report it with the output of 'rpat devices'.");
        driver.AllowDynamicShared(kernel.Function, dynamicShared);
        kernel.AllowedShared = dynamicShared;
    }
}
