namespace Rpat.Engine.Kernels.Cpu;

/// <summary>The processor's caches, from which block sizes follow. Results do not depend on them.</summary>
internal static class Cache
{
    /// <summary>Bytes from which on an L2 holds the larger of two block sizes.</summary>
    public const int Large = 1 << 20;

    /// <summary>Bytes of a core's second-level cache; 1 MiB if the processor does not tell.</summary>
    public static int L2 { get; } = ReadL2() is > 0 and var bytes ? bytes : Large;

    // AMD's leaf of cache sizes, which Intel's processors have too: bits 31 to 16 of ECX in KiB.
    private static int ReadL2() => X86Base.IsSupported && (uint)X86Base.CpuId(unchecked((int)0x80000000), 0).Eax >= 0x80000006
        ? (X86Base.CpuId(unchecked((int)0x80000006), 0).Ecx >>> 16) << 10 : 0;
}
