namespace Rpat.Engine.Gpu;

/// <summary>A GPU that the driver lists.</summary>
/// <param name="Name">What <c>--device</c> takes, for instance <c>cuda:0</c>.</param>
/// <param name="Model">The vendor's name for it.</param>
public sealed record GpuInfo(string Name, string Model, long MemoryBytes, int Multiprocessors)
{
    /// <summary>Its compute capability, such as 8.0.</summary>
    public string Capability { get; init; } = "";

    /// <summary>Its driver's version, such as 550.54.15; empty if unknown.</summary>
    public string Driver { get; init; } = "";

    /// <summary>The newest CUDA version that its driver supports, such as 12.4.</summary>
    public string Cuda { get; init; } = "";

    /// <summary>The newest PTX that its driver compiles, such as 8.4.</summary>
    public string Ptx { get; init; } = "";

    /// <summary>Its address on the PCI bus.</summary>
    public string BusId { get; init; } = "";

    /// <summary>Why it cannot be used, as the end of a sentence, or null.</summary>
    public string? Problem { get; init; }
}
