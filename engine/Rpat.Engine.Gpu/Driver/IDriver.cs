namespace Rpat.Engine.Gpu.Driver;

/// <summary>What this backend asks NVIDIA's driver itself, beside what ILGPU asks. Tests answer in the driver's place.</summary>
internal interface IDriver
{
    /// <summary>The newest CUDA that the driver knows, 1000·major + 10·minor.</summary>
    /// <exception cref="DriverException">There is no driver, or it cannot be used.</exception>
    int Version();

    /// <summary>The driver's own version, such as 550.54.15; empty where nothing tells.</summary>
    string Release();

    /// <summary>The GPUs, by their number.</summary>
    /// <exception cref="DriverException">The driver refuses.</exception>
    IReadOnlyList<DeviceFacts> Devices();

    /// <summary>What a loaded kernel takes.</summary>
    /// <exception cref="DriverException">The driver refuses.</exception>
    FunctionFacts Describe(nint function);

    /// <summary>Lets a kernel take more dynamic shared memory than the 48 KiB that all may.</summary>
    /// <exception cref="DriverException">The driver refuses.</exception>
    void AllowDynamicShared(nint function, int bytes);

    /// <summary>Whether host memory is page-locked, so that copies from it do not wait.</summary>
    bool IsPageLocked(nint pointer);
}

/// <summary>The driver is not there or refuses; the message says so, without a full stop, and what to do.</summary>
internal sealed class DriverException(string message) : Exception(message);

/// <summary>A GPU as the driver describes it.</summary>
/// <param name="SharedBytes">Shared memory that a group may take if its kernel asks for it.</param>
/// <param name="BusId">Where it sits: domain, bus and device, as NVML wants them.</param>
internal sealed record DeviceFacts(
    string Model, long MemoryBytes, int Multiprocessors, int Major, int Minor, int SharedBytes, string BusId);

/// <summary>A loaded kernel as the driver describes it.</summary>
internal sealed record FunctionFacts(int Registers, int MostThreads, int LocalBytes, int SharedBytes);
