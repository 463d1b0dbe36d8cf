using Rpat.PtxMachine.Execution;

namespace Rpat.PtxMachine.Memory;

/// <summary>
/// Finds words of global memory that are read before they are written, and words in which groups of one launch meet. Groups that run at
/// the same time exchange their marks, so that of two that meet at least one sees the other.
/// </summary>
internal readonly unsafe ref struct GlobalHistory(GroupRun group)
{
    private readonly uint _mine = group.Serial, _several = group.Launch.FirstSerial - 1;
    private readonly bool _threaded = group.Launch.IsThreaded, _races = group.Options.FindGlobalRaces;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Note(Warp w, Instruction i, int lane, Range range, ulong word, Access access)
    {
        uint writer = range.Writers[word], reader = range.Readers[word];
        bool known = access == Access.Write
            ? writer == _mine && (reader < _several || reader == _mine)
            : writer != 0 && (writer <= _several || writer == _mine) && (reader == _several || reader == _mine);
        if (!known) NoteNew(w, i, lane, range, word, access);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void NoteNew(Warp w, Instruction i, int lane, Range range, ulong word, Access access)
    {
        if (access == Access.Write) NoteWrite(w, i, lane, range, word);
        else if (range.Writers[word] == 0) throw Fresh(w, i, lane, range, word);
        else if (access == Access.Read && _races) NoteRead(w, i, lane, range, word);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void NoteWrite(Warp w, Instruction i, int lane, Range range, ulong word)
    {
        uint before = range.Writers[word];
        if (before != _mine)
        {
            if (_threaded) before = Interlocked.Exchange(ref range.Writers[word], _mine);
            else range.Writers[word] = _mine;
            if (before > _several && before != _mine && _races) throw Race(w, i, lane, range, word, "writes", before, "wrote");
        }
        uint reader = range.Readers[word];
        if (reader >= _several && reader != _mine && _races) throw Race(w, i, lane, range, word, "writes", reader, "read");
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void NoteRead(Warp w, Instruction i, int lane, Range range, ulong word)
    {
        uint before = range.Readers[word];
        while (before != _mine && before != _several)
        {
            uint mark = before > _several ? _several : _mine, seen = before;
            if (_threaded) seen = Interlocked.CompareExchange(ref range.Readers[word], mark, before);
            else range.Readers[word] = mark;
            before = seen == before ? mark : seen;
        }
        uint writer = Volatile.Read(ref range.Writers[word]);
        if (writer > _several && writer != _mine) throw Race(w, i, lane, range, word, "reads", writer, "wrote");
    }

    private static PtxFaultException Fresh(Warp w, Instruction i, int lane, Range range, ulong word) => w.Fault(
        PtxFaultKind.UnwrittenGlobal, i, 1u << lane, $"reads byte {4 * word} of {range.Name}, where nothing has been written");

    private static PtxFaultException Race(Warp w, Instruction i, int lane, Range range, ulong word, string does, uint other, string did)
    {
        var launch = w.Group.Launch;
        string group = other < launch.FirstSerial ? "several groups" : $"group {launch.Shape.Group(other - launch.FirstSerial)}";
        string what = $"{does} byte {4 * word} of {range.Name}, which {group} of the same launch {did}";
        return w.Fault(PtxFaultKind.GlobalRace, i, 1u << lane, what);
    }
}
