namespace Rpat.Engine.Gpu.Driver;

/// <summary>What this backend asks NVIDIA's driver directly, in addition to what ILGPU asks. Tests substitute their own.</summary>
internal interface IDriver
{
    /// <summary>The newest CUDA version that the driver supports, 1000·major + 10·minor.</summary>
    /// <exception cref="DriverException">There is no driver, or it cannot be used.</exception>
    int Version();

    /// <summary>The driver's own version, such as 550.54.15; empty if unknown.</summary>
    string Release();

    /// <summary>The GPUs, by their number.</summary>
    /// <exception cref="DriverException">The driver refuses.</exception>
    IReadOnlyList<DeviceFacts> Devices();

    /// <summary>A loaded kernel's resource use.</summary>
    /// <exception cref="DriverException">The driver refuses.</exception>
    FunctionFacts Describe(nint function);

    /// <summary>Lets a kernel use more dynamic shared memory than the default 48 KiB.</summary>
    /// <exception cref="DriverException">The driver refuses.</exception>
    void AllowDynamicShared(nint function, int bytes);

    /// <summary>Whether host memory is page-locked, so that copies from it are asynchronous.</summary>
    bool IsPageLocked(nint pointer);
}

/// <summary>The driver is missing or refuses; the message says what happened and what to do, without a full stop.</summary>
internal sealed class DriverException(string message) : Exception(message);

/// <summary>A GPU as the driver describes it.</summary>
/// <param name="SharedBytes">Shared memory that a group may use if its kernel opts in.</param>
/// <param name="BusId">Its PCI address: domain, bus and device, in NVML's format.</param>
internal sealed record DeviceFacts(
    string Model, long MemoryBytes, int Multiprocessors, int Major, int Minor, int SharedBytes, string BusId);

/// <summary>A loaded kernel as the driver describes it.</summary>
internal sealed record FunctionFacts(int Registers, int MostThreads, int LocalBytes, int SharedBytes);
