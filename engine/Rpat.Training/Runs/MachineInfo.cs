using System.Reflection;
using System.Runtime.Intrinsics;

namespace Rpat.Training.Runs;

/// <summary>The machine of a run, for its record.</summary>
/// <param name="MemoryMib">MiB for this process.</param>
/// <param name="Version">The program's version, with the commit after '+' if the build had it.</param>
internal sealed record MachineInfo(string Version, string Runtime, string Os, string Cpu, int Cores, int VectorBits, long MemoryMib = 0)
{
    /// <summary>As earlier versions spelt it.</summary>
    [System.Text.Json.Serialization.JsonPropertyName("memory_mi_b")] public long EarlierMemory { init => MemoryMib = value; }

    /// <summary>Describes this process and machine.</summary>
    public static MachineInfo Here() => new(
        ProgramVersion(),
        RuntimeInformation.FrameworkDescription,
        $"{RuntimeInformation.OSDescription} {RuntimeInformation.OSArchitecture}",
        CpuName(),
        Environment.ProcessorCount,
        Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : 128,
        GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 20);

    /// <summary>The program's version as the build stamped it.</summary>
    public static string ProgramVersion() =>
        typeof(MachineInfo).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    private static string CpuName()
    {
        const string table = "/proc/cpuinfo";
        if (!File.Exists(table)) return Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER") ?? "unknown";
        string? line = File.ReadLines(table).FirstOrDefault(text => text.StartsWith("model name", StringComparison.Ordinal));
        return line?[(line.IndexOf(':') + 1)..].Trim() ?? "unknown";
    }
}
