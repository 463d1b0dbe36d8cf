using System.Globalization;
using Rpat.Ilgpu.Emulator.Execution;

namespace Rpat.Ilgpu.Emulator.Ptx;

/// <summary>Loads and stores by address. Shared addresses count from the beginning of the group's memory.</summary>
internal static unsafe class PtxMemory
{
    /// <summary>ld or st, .shared or .global, of one, two or four words.</summary>
    public static PtxOperation Operation(string name, string[] parts)
    {
        int words = parts.Contains("v4") ? 4 : parts.Contains("v2") ? 2 : 1;
        int bytes = parts[^1] switch { "f32" or "b32" or "u32" or "s32" => 4, "b64" or "u64" or "f64" => 8, _ => throw PtxOperations.Unknown(name) };
        if (!parts.Contains("shared") && !parts.Contains("global")) throw PtxOperations.Unknown(name);
        bool shared = parts.Contains("shared");
        return parts[0] == "ld"
            ? new PtxOperation((thread, i) =>
                Load(thread, i.Arguments[0], Place(thread.Address(i.Arguments[1]), words * bytes, shared, write: false), bytes))
            : new PtxOperation((thread, i) =>
                Store(thread, i.Arguments[1], Place(thread.Address(i.Arguments[0]), words * bytes, shared, write: true), bytes));
    }

    /// <summary>The memory at an address: within bounds, aligned, noted.</summary>
    public static byte* Place(ulong address, int bytes, bool shared, bool write)
    {
        if (address % (ulong)bytes != 0)
            throw Fault.In(string.Create(CultureInfo.InvariantCulture, $"accesses misaligned memory in assembly: {bytes} bytes at address {address}"));
        return shared ? Shared(address, bytes, write) : GlobalMemory.Find(address, bytes);
    }

    private static byte* Shared(ulong address, int bytes, bool write)
    {
        var arena = Lane.Current.Group.Shared;
        if (address + (ulong)bytes > (ulong)arena.Used)
            throw Fault.In(string.Create(CultureInfo.InvariantCulture, $"accesses byte {address} of {arena.Used} bytes of shared memory in assembly"));
        byte* place = arena.Base + address;
        if (write) arena.TouchWrite(place, bytes);
        else arena.Touch(place, bytes);
        return place;
    }

    private static void Load(PtxThread thread, PtxArgument target, byte* source, int bytes)
    {
        foreach (var part in target.Parts)
        {
            thread.Set(part, bytes == 4 ? *(uint*)source : *(ulong*)source);
            source += bytes;
        }
    }

    private static void Store(PtxThread thread, PtxArgument source, byte* target, int bytes)
    {
        foreach (var part in source.Parts)
        {
            ulong bits = thread.Get(part);
            if (bytes == 4) *(uint*)target = (uint)bits;
            else *(ulong*)target = bits;
            target += bytes;
        }
    }
}

/// <summary>The allocations that an address may point into.</summary>
internal static unsafe class GlobalMemory
{
    private static readonly SortedList<ulong, IntPtr> s_blocks = [];

    public static void Add(MemoryBlock* block)
    {
        lock (s_blocks) s_blocks.Add((ulong)block->Data, (IntPtr)block);
    }

    public static void Remove(MemoryBlock* block)
    {
        lock (s_blocks) s_blocks.Remove((ulong)block->Data);
    }

    /// <summary>The memory at an address.</summary>
    /// <exception cref="EmulatorException">It is not all within one allocation.</exception>
    public static byte* Find(ulong address, int bytes)
    {
        lock (s_blocks)
        {
            foreach (var (start, block) in s_blocks)
                if (address >= start && address + (ulong)bytes <= start + (ulong)((MemoryBlock*)block)->Bytes) return (byte*)address;
        }
        throw Fault.In(string.Create(CultureInfo.InvariantCulture,
            $"accesses {bytes} bytes at address {address:x} in assembly, outside every allocation"));
    }
}
