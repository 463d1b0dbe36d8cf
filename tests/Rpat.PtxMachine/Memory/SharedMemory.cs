using Rpat.PtxMachine.Execution;

namespace Rpat.PtxMachine.Memory;

internal enum Access
{
    Read,
    Write,
    Atomic,
}

/// <summary>What has happened to a word of shared memory.</summary>
internal struct SharedWord
{
    public Deed Read, Write;
}

/// <summary>
/// Shared memory of one group: poisoned, and each word with its history. Intervals lie between barriers and are counted through all groups,
/// so that what an earlier group did is told by its number.
/// </summary>
internal sealed unsafe class SharedMemory
{
    private const uint Poison = 0x7FC0DEAD;

    private uint* _words;
    private SharedWord[] _history = [];
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
        if (words > _history.Length) Reserve(words);
        new Span<uint>(_words, words).Fill(Poison);
        if (_copied) Array.Clear(_history); // a fault may have left copies under way
        if (hasAtomics != _atomics.Length > 0) _atomics = new Deed[hasAtomics ? _history.Length : 0];
        (_copied, Bytes, _first) = (false, bytes, ++_interval);
    }

    public void NextInterval() => _interval++;

    public Deed Now(Warp warp, int lane) => Deed.Of(_interval, warp.Interval, warp.Number, warp.FirstThread + lane);

    /// <summary>Notes that a thread touches some bytes; false if it must not, see <see cref="Explain"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryNote(Deed now, int at, int bytes, Access access)
    {
        int last = (at + bytes - 1) / 4;
        for (int word = at / 4; word <= last; word++)
            if (!TryNoteQuiet(ref _history[word], now, access) && !TryNote(now, word, access)) return false;
        return true;
    }

    /// <summary>A copy begins or ends that writes some bytes.</summary>
    public void SetPending(int at, int bytes, bool pending)
    {
        _copied = true;
        for (int word = at / 4; word < (at + bytes) / 4; word++) _history[word].Write = pending ? Deed.Pending : default;
    }

    /// <summary>Says what is wrong with an access that must not be.</summary>
    public (PtxFaultKind Kind, string What) Explain(GroupRun group, Deed now, int at, int bytes, Access access)
    {
        int word = at / 4;
        while (word < (at + bytes - 1) / 4 && IsGood(now, word, access)) word++;
        string does = access == Access.Read ? "reads" : access == Access.Write ? "writes" : "changes";
        string where = group.Program.Layout.Describe(4L * word, group.Launch.Shape.DynamicSharedBytes);
        if (_history[word].Write == Deed.Pending)
            return (PtxFaultKind.PendingCopy, $"{does} {where}, the target of a copy that nobody has waited for");
        if (access != Access.Write && !IsWritten(word))
            return (PtxFaultKind.UnwrittenShared, $"reads {where}, which no thread has written");
        return (PtxFaultKind.SharedRace, $"{does} {where}, which {Other(group, now, word, access)} since the last barrier");
    }

    /// <summary>The frequent case: a word that was written before the last barrier, or that nobody has touched since.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryNoteQuiet(ref SharedWord history, Deed now, Access access)
    {
        uint written = history.Write.Interval;
        if (_atomics.Length > 0 || access == Access.Atomic) return false;
        if (access == Access.Read)
        {
            if (written - _first >= _interval - _first) return false;
            if (history.Read != now) history.Read = history.Read.And(now);
            return true;
        }
        if (written >= _interval || history.Read.Interval == _interval) return false;
        history.Write = now;
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private bool TryNote(Deed now, int word, Access access)
    {
        if (!IsGood(now, word, access)) return false;
        ref var history = ref _history[word];
        if (access == Access.Read) history.Read = history.Read.And(now);
        else if (access == Access.Write) history.Write = history.Write.And(now);
        else _atomics[word] = _atomics[word].And(now);
        return true;
    }

    private bool IsGood(Deed now, int word, Access access)
    {
        var history = _history[word];
        if (history.Write == Deed.Pending || (access != Access.Write && !IsWritten(word))) return false;
        return !history.Write.MeetsUnordered(now)
            && (access == Access.Read || !history.Read.MeetsUnordered(now))
            && (access == Access.Atomic || !AtomicAt(word).MeetsUnordered(now));
    }

    private bool IsWritten(int word) => _history[word].Write.Interval >= _first || AtomicAt(word).Interval >= _first;

    private Deed AtomicAt(int word) => _atomics.Length > 0 ? _atomics[word] : default;

    private string Other(GroupRun group, Deed now, int word, Access access)
    {
        var (write, atomic) = (_history[word].Write, AtomicAt(word));
        if (write.MeetsUnordered(now)) return write.Words(group, "wrote");
        bool clashes = access != Access.Atomic && atomic.MeetsUnordered(now);
        return clashes ? atomic.Words(group, "changed atomically") : _history[word].Read.Words(group, "read");
    }

    private void Reserve(int words)
    {
        NativeMemory.AlignedFree(_words);
        _words = (uint*)NativeMemory.AlignedAlloc((nuint)(4 * words), 256);
        (_history, _atomics) = (new SharedWord[words], []);
    }
}
