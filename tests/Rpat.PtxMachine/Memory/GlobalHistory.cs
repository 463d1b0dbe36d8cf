using System.Runtime.CompilerServices;
using Rpat.PtxMachine.Execution;

namespace Rpat.PtxMachine.Memory;

/// <summary>
/// Finds words of global memory that are read before they are written, and words in which groups of one launch meet. Groups that run at
/// the same time exchange their marks, so that of two that meet at least one sees the other.
/// </summary>
internal static unsafe class GlobalHistory
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Note(Warp w, Instruction i, int lane, Range range, ulong word, Access access)
    {
        if (access == Access.Write) NoteWrite(w, i, lane, range, word);
        else if (range.Writers[word] == 0) throw Fresh(w, i, lane, range, word);
        else if (access == Access.Read && w.Group.Options.FindGlobalRaces) NoteRead(w, i, lane, range, word);
    }

    private static void NoteWrite(Warp w, Instruction i, int lane, Range range, ulong word)
    {
        var group = w.Group;
        uint mine = group.Serial, several = group.Launch.FirstSerial - 1, before = range.Writers[word];
        if (before != mine)
        {
            if (group.Launch.IsThreaded) before = Interlocked.Exchange(ref range.Writers[word], mine);
            else range.Writers[word] = mine;
            if (before > several && before != mine && group.Options.FindGlobalRaces) throw Race(w, i, lane, range, word, "writes", before, "wrote");
        }
        uint reader = range.Readers[word];
        if (reader >= several && reader != mine && group.Options.FindGlobalRaces) throw Race(w, i, lane, range, word, "writes", reader, "read");
    }

    private static void NoteRead(Warp w, Instruction i, int lane, Range range, ulong word)
    {
        var group = w.Group;
        uint mine = group.Serial, several = group.Launch.FirstSerial - 1, before = range.Readers[word];
        while (before != mine && before != several)
        {
            uint mark = before > several ? several : mine;
            if (!group.Launch.IsThreaded) range.Readers[word] = before = mark;
            else if (Interlocked.CompareExchange(ref range.Readers[word], mark, before) is var seen && seen != before) before = seen;
            else before = mark;
        }
        uint writer = Volatile.Read(ref range.Writers[word]);
        if (writer > several && writer != mine) throw Race(w, i, lane, range, word, "reads", writer, "wrote");
    }

    private static PtxFaultException Fresh(Warp w, Instruction i, int lane, Range range, ulong word) => w.Fault(
        PtxFaultKind.UnwrittenGlobal, i, 1u << lane, $"reads byte {4 * word} of {range.Name}, where nothing has been written");

    private static PtxFaultException Race(Warp w, Instruction i, int lane, Range range, ulong word, string does, uint other, string did)
    {
        var launch = w.Group.Launch;
        string group = other < launch.FirstSerial ? "several groups" : $"group {launch.Shape.Group(other - launch.FirstSerial)}";
        return w.Fault(PtxFaultKind.GlobalRace, i, 1u << lane, $"{does} byte {4 * word} of {range.Name}, which {group} of the same launch {did}");
    }
}
