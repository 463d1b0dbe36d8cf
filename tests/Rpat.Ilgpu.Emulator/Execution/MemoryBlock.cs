using System.Runtime.InteropServices;

namespace Rpat.Ilgpu.Emulator.Execution;

/// <summary>Which memory of a GPU a block stands for.</summary>
internal enum MemoryKind
{
    Global,
    Shared,
    Local,
    Host,
}

/// <summary>One allocation. Native, so that views are plain data that suspended kernels can hold.</summary>
internal unsafe struct MemoryBlock
{
    /// <summary>A quiet NaN with a mark: memory that nobody has written.</summary>
    public const uint Poison = 0x7FFD_DEAD;

    private const int Guard = 64;

    public byte* Data;
    public long Bytes;
    public MemoryKind Kind;

    /// <summary>Poisoned memory, aligned as a GPU's allocations are.</summary>
    public static MemoryBlock* Allocate(long bytes, MemoryKind kind)
    {
        var block = (MemoryBlock*)NativeMemory.AllocZeroed((nuint)sizeof(MemoryBlock));
        block->Data = (byte*)NativeMemory.AlignedAlloc((nuint)(bytes + Guard), 256);
        block->Bytes = bytes;
        block->Kind = kind;
        Fill(block->Data, bytes);
        return block;
    }

    /// <summary>Overwrites with the poison.</summary>
    public static void Fill(byte* data, long bytes)
    {
        for (long at = 0; at < bytes / sizeof(uint); at++) ((uint*)data)[at] = Poison;
        for (long at = bytes & ~3L; at < bytes; at++) data[at] = unchecked((byte)Poison);
    }

    public static void Free(MemoryBlock* block)
    {
        NativeMemory.AlignedFree(block->Data);
        NativeMemory.Free(block);
    }
}
