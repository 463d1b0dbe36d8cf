using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Rpat.PtxMachine.Execution;

namespace Rpat.PtxMachine.Memory;

internal enum Access
{
    Read,
    Write,
    Atomic,
}

/// <summary>
/// A thread that did something with a word, or that several did, and when: bits 0–10 the thread plus 1, 11–16 its warp, 17–31 the warp's
/// interval, 32–63 the group's.
/// </summary>
internal readonly record struct Deed(ulong Bits)
{
    private const ulong Several = 0x7FF, SeveralWarps = 0x3F;

    public static Deed Of(uint interval, int warpInterval, int warp, int thread) =>
        new((ulong)interval << 32 | (ulong)(warpInterval & 0x7FFF) << 17 | (ulong)warp << 11 | (uint)thread + 1);

    private ulong Thread => Bits & Several;

    private ulong Warp => Bits >> 11 & SeveralWarps;

    /// <summary>Whether another thread did it where no barrier lies between that and now.</summary>
    public bool MeetsUnordered(Deed now) =>
        Bits >> 32 == now.Bits >> 32 && Thread != now.Thread && (Warp != now.Warp || Bits >> 17 == now.Bits >> 17);

    /// <summary>The same for another thread of the warp, by its lane's distance.</summary>
    public Deed Next(int lane) => new(Bits + (uint)lane);

    /// <summary>This, and that a thread does it now.</summary>
    public Deed And(Deed now)
    {
        if (Bits >> 32 != now.Bits >> 32 || Thread == now.Thread) return now;
        ulong warp = Warp == now.Warp ? Warp : SeveralWarps;
        return new Deed((now.Bits & ~0x1FFFFul) | warp << 11 | Several);
    }

    public string Words(GroupRun group, string verb) => Thread == Several ? $"other threads {verb}" : $"thread {group.Name((int)Thread - 1)} {verb}";
}

/// <summary>What has happened to a word of shared memory.</summary>
internal struct SharedWord
{
    public Deed Read, Write, Atomic;

    /// <summary>The interval of the group in which anybody first wrote it; those before the group's first are of groups before.</summary>
    public uint WrittenIn;

    /// <summary>Whether a copy is under way that may write it at any time.</summary>
    public bool Pending;
}

/// <summary>Shared memory of one group: poisoned, and each word with its history.</summary>
internal sealed unsafe class SharedMemory
{
    private const uint Poison = 0x7FC0DEAD;

    private uint* _words;
    private SharedWord[] _history = [];
    private uint _interval = 1, _first;

    public byte* Data => (byte*)_words;

    public int Bytes { get; private set; }

    ~SharedMemory() => NativeMemory.AlignedFree(_words);

    /// <summary>Begins a group.</summary>
    public void Start(int bytes)
    {
        int words = (bytes + 3) / 4;
        if (words > _history.Length) Reserve(words);
        new Span<uint>(_words, words).Fill(Poison);
        for (int word = 0; word < words; word++) _history[word].Pending = false;
        (Bytes, _first) = (bytes, ++_interval);
    }

    public void NextInterval() => _interval++;

    public Deed Now(Warp warp, int lane) => Deed.Of(_interval, warp.Interval, warp.Number, warp.FirstThread + lane);

    /// <summary>Notes that a thread touches some bytes; false if it must not, see <see cref="Explain"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryNote(Deed now, int at, int bytes, Access access)
    {
        int last = (at + bytes - 1) / 4;
        for (int word = at / 4; word <= last; word++)
        {
            ref var history = ref _history[word];
            if (history.Pending || Unwritten(history, access) || Races(history, now, access)) return false;
            Add(ref history, now, access);
        }
        return true;
    }

    /// <summary>Says what is wrong with an access that must not be.</summary>
    public (PtxFaultKind Kind, string What) Explain(GroupRun group, Deed now, int at, int bytes, Access access)
    {
        int word = at / 4;
        while (word < (at + bytes - 1) / 4 && !_history[word].Pending && !Unwritten(_history[word], access) && !Races(_history[word], now, access)) word++;
        return Explain(group, _history[word], now, word, access);
    }

    /// <summary>A copy begins or ends that writes some bytes.</summary>
    public void SetPending(int at, int bytes, bool pending)
    {
        for (int word = at / 4; word < (at + bytes) / 4; word++) _history[word].Pending = pending;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool Unwritten(in SharedWord history, Access access) => access != Access.Write && history.WrittenIn < _first;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Races(in SharedWord history, Deed now, Access access) =>
        history.Write.MeetsUnordered(now)
        || (access != Access.Read && history.Read.MeetsUnordered(now))
        || (access != Access.Atomic && history.Atomic.MeetsUnordered(now));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Add(ref SharedWord history, Deed now, Access access)
    {
        if (access == Access.Read)
        {
            history.Read = history.Read.And(now);
            return;
        }
        if (history.WrittenIn < _first) history.WrittenIn = _interval;
        if (access == Access.Write) history.Write = history.Write.And(now);
        else history.Atomic = history.Atomic.And(now);
    }

    private (PtxFaultKind, string) Explain(GroupRun group, in SharedWord history, Deed now, int word, Access access)
    {
        string does = access == Access.Read ? "reads" : access == Access.Write ? "writes" : "changes";
        string where = group.Program.Layout.Describe(4L * word, group.Launch.Shape.DynamicSharedBytes);
        if (history.Pending) return (PtxFaultKind.PendingCopy, $"{does} {where}, the target of a copy that nobody has waited for");
        if (Unwritten(history, access)) return (PtxFaultKind.UnwrittenShared, $"reads {where}, which no thread has written");
        string other = history.Write.MeetsUnordered(now) ? history.Write.Words(group, "wrote")
            : history.Atomic.MeetsUnordered(now) && access != Access.Atomic ? history.Atomic.Words(group, "changed atomically")
            : history.Read.Words(group, "read");
        return (PtxFaultKind.SharedRace, $"{does} {where}, which {other} since the last barrier");
    }

    private void Reserve(int words)
    {
        NativeMemory.AlignedFree(_words);
        _words = (uint*)NativeMemory.AlignedAlloc((nuint)(4 * words), 256);
        _history = new SharedWord[words];
    }
}
