using Rpat.Ilgpu.Emulator.Execution;

namespace Rpat.Ilgpu.Emulator.Ptx;

/// <summary>
/// Asynchronous copies of one thread (cp.async). Where they are headed is poisoned at once and filled when the thread waits for them;
/// until then any access there is a fault, and behind that another thread's is a race until a barrier.
/// </summary>
internal sealed unsafe class PtxCopies
{
    private readonly List<Copy> _open = [];
    private readonly Queue<List<Copy>> _groups = [];

    /// <summary>The operation of an instruction.</summary>
    public static PtxOperation Operation(string name)
    {
        if (name == "cp.async.commit_group") return new PtxOperation((thread, _) => thread.Copies.Commit());
        if (name == "cp.async.wait_all") return new PtxOperation((thread, _) => thread.Copies.WaitAll());
        if (name == "cp.async.wait_group") return new PtxOperation((thread, i) => thread.Copies.Wait((int)i.Arguments[0].Parts[0].Value));
        if (!Copies("ca", name) && !Copies("cg", name)) throw PtxOperations.Unknown(name);
        bool whole = name.StartsWith("cp.async.cg", StringComparison.Ordinal); // .cg copies 16 bytes and nothing else
        return new PtxOperation((thread, i) => thread.Copies.Begin(thread, i, whole));
    }

    private static bool Copies(string cache, string name) => name.StartsWith($"cp.async.{cache}.shared.global", StringComparison.Ordinal);

    public void Clear()
    {
        _open.Clear();
        _groups.Clear();
    }

    private void Begin(PtxThread thread, PtxInstruction instruction, bool whole)
    {
        var arguments = instruction.Arguments;
        int bytes = (int)thread.Get(arguments[2]);
        if (bytes is not (4 or 8 or 16) || (whole && bytes != 16)) throw Fault.In($"copies {bytes} bytes by {instruction.Name}");
        int filled = arguments.Length > 3 ? (int)thread.Get(arguments[3]) : bytes; // the rest becomes zero
        byte* target = PtxMemory.Place(thread.Address(arguments[0]), bytes, shared: true, write: true);
        byte* source = filled == 0 ? null : PtxMemory.Place(thread.Address(arguments[1]), bytes, shared: false, write: false);
        MemoryBlock.Fill(target, bytes);
        Lane.Current.Group.Shared.BeginCopy(target, bytes);
        _open.Add(new Copy((IntPtr)target, (IntPtr)source, bytes, filled));
    }

    private void Commit()
    {
        _groups.Enqueue([.. _open]);
        _open.Clear();
    }

    private void Wait(int pending)
    {
        while (_groups.Count > pending) Finish(_groups.Dequeue());
    }

    private void WaitAll()
    {
        Commit();
        Wait(0);
    }

    private static void Finish(List<Copy> copies)
    {
        foreach (var copy in copies)
        {
            byte* target = (byte*)copy.Target;
            Lane.Current.Group.Shared.EndCopy(target, copy.Bytes);
            new Span<byte>(target, copy.Bytes).Clear();
            new ReadOnlySpan<byte>((byte*)copy.Source, copy.Filled).CopyTo(new Span<byte>(target, copy.Bytes));
        }
    }

    private readonly record struct Copy(IntPtr Target, IntPtr Source, int Bytes, int Filled);
}
