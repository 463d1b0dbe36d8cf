using System.Runtime.Intrinsics;
using Rpat.PtxMachine.Execution;

namespace Rpat.PtxMachine.Memory;

internal enum Access
{
    Read,
    Write,
    Atomic,
}

/// <summary>
/// Shared memory of one group: poisoned, and each word with its history. Intervals lie between barriers and are counted through all groups,
/// so that what an earlier group did is told by its number.
/// </summary>
internal sealed unsafe class SharedMemory
{
    private const uint Poison = 0x7FC0DEAD;

    private uint* _words;
    private Deed[] _reads = [], _writes = []; // by word, the last of each
    private Deed[] _atomics = []; // of programs that have atomic operations here
    private bool _copied;
    private uint _interval = 1, _first;

    public byte* Data => (byte*)_words;

    public int Bytes { get; private set; }

    ~SharedMemory() => NativeMemory.AlignedFree(_words);

    /// <summary>Begins a group.</summary>
    public void Start(int bytes, bool hasAtomics)
    {
        int words = (bytes + 3) / 4;
        if (words > _writes.Length) Reserve(words);
        new Span<uint>(_words, words).Fill(Poison);
        if (_copied) Array.Clear(_writes); // a fault may have left copies under way
        if (hasAtomics != _atomics.Length > 0) _atomics = new Deed[hasAtomics ? _writes.Length : 0];
        (_copied, Bytes, _first) = (false, bytes, ++_interval);
    }

    public void NextInterval() => _interval++;

    public Deed Now(Warp warp, int lane) => Deed.Of(_interval, warp.Interval, warp.Number, warp.FirstThread + lane);

    /// <summary>Notes that a thread touches some bytes; false if it must not, see <see cref="Explain"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryNote(Deed now, int at, int bytes, Access access)
    {
        int first = at / 4, last = (at + bytes - 1) / 4;
        if (last - first == 3 && TryNoteFour(first, now, access)) return true;
        for (int word = first; word <= last; word++)
            if (!TryNoteQuiet(word, now, access) && !TryNote(now, word, access)) return false;
        return true;
    }

    /// <summary>A copy begins or ends that writes some bytes.</summary>
    public void SetPending(int at, int bytes, bool pending)
    {
        _copied = true;
        for (int word = at / 4; word < (at + bytes) / 4; word++) _writes[word] = pending ? Deed.Pending : default;
    }

    /// <summary>Says what is wrong with an access that must not be.</summary>
    public (PtxFaultKind Kind, string What) Explain(GroupRun group, Deed now, int at, int bytes, Access access)
    {
        int word = at / 4;
        while (word < (at + bytes - 1) / 4 && IsGood(now, word, access)) word++;
        string does = access == Access.Read ? "reads" : access == Access.Write ? "writes" : "changes";
        string where = group.Program.Layout.Describe(4L * word, group.Launch.Shape.DynamicSharedBytes);
        if (_writes[word] == Deed.Pending)
            return (PtxFaultKind.PendingCopy, $"{does} {where}, the target of a copy that nobody has waited for");
        if (access != Access.Write && !IsWritten(word))
            return (PtxFaultKind.UnwrittenShared, $"reads {where}, which no thread has written");
        return (PtxFaultKind.SharedRace, $"{does} {where}, which {Other(group, now, word, access)} since the last barrier");
    }

    /// <summary>The frequent case: a word that was written before the last barrier, or that nobody has touched since.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryNoteQuiet(int word, Deed now, Access access)
    {
        uint written = _writes[word].Interval;
        if (_atomics.Length > 0 || access == Access.Atomic) return false;
        if (access == Access.Read)
        {
            if (written - _first >= _interval - _first) return false;
            if (_reads[word] != now) _reads[word] = _reads[word].And(now);
            return true;
        }
        if (written >= _interval || _reads[word].Interval == _interval) return false;
        _writes[word] = now;
        return true;
    }

    /// <summary>The same for four words at once.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private bool TryNoteFour(int word, Deed now, Access access)
    {
        if (_atomics.Length > 0 || access == Access.Atomic) return false;
        ref ulong write = ref Unsafe.As<Deed, ulong>(ref _writes.AsSpan(word, 4)[0]);
        ref ulong read = ref Unsafe.As<Deed, ulong>(ref _reads.AsSpan(word, 4)[0]);
        Vector256<ulong> reads = Vector256.LoadUnsafe(ref read), interval = Vector256.Create((ulong)_interval);
        var written = Vector256.LoadUnsafe(ref write) >> 32;
        if (!Vector256.LessThanAll(written, interval)) return false;
        if (access == Access.Read)
        {
            if (!Vector256.GreaterThanOrEqualAll(written, Vector256.Create((ulong)_first))) return false;
            Deed.And(reads, now).StoreUnsafe(ref read);
            return true;
        }
        if (Vector256.EqualsAny(reads >> 32, interval)) return false;
        Vector256.Create(now.Bits).StoreUnsafe(ref write);
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private bool TryNote(Deed now, int word, Access access)
    {
        if (!IsGood(now, word, access)) return false;
        if (access == Access.Read) _reads[word] = _reads[word].And(now);
        else if (access == Access.Write) _writes[word] = _writes[word].And(now);
        else _atomics[word] = _atomics[word].And(now);
        return true;
    }

    private bool IsGood(Deed now, int word, Access access)
    {
        var (read, write) = (_reads[word], _writes[word]);
        if (write == Deed.Pending || (access != Access.Write && !IsWritten(word))) return false;
        return !write.MeetsUnordered(now)
            && (access == Access.Read || !read.MeetsUnordered(now))
            && (access == Access.Atomic || !AtomicAt(word).MeetsUnordered(now));
    }

    private bool IsWritten(int word) => _writes[word].Interval >= _first || AtomicAt(word).Interval >= _first;

    private Deed AtomicAt(int word) => _atomics.Length > 0 ? _atomics[word] : default;

    private string Other(GroupRun group, Deed now, int word, Access access)
    {
        var (write, atomic) = (_writes[word], AtomicAt(word));
        if (write.MeetsUnordered(now)) return write.Words(group, "wrote");
        bool clashes = access != Access.Atomic && atomic.MeetsUnordered(now);
        return clashes ? atomic.Words(group, "changed atomically") : _reads[word].Words(group, "read");
    }

    private void Reserve(int words)
    {
        NativeMemory.AlignedFree(_words);
        _words = (uint*)NativeMemory.AlignedAlloc((nuint)(4 * words), 256);
        (_reads, _writes, _atomics) = (new Deed[words], new Deed[words], []);
    }
}
