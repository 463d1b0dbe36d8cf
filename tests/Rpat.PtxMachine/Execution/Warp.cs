using System.Numerics;
using Rpat.PtxMachine.Memory;
using Rpat.PtxMachine.Text;

namespace Rpat.PtxMachine.Execution;

/// <summary>
/// Thirty-two threads that execute one instruction at a time. Where a branch parts them, one side runs up to the instruction at which
/// both are together again, then the other. A register is 32 values side by side, a predicate the bits of a word.
/// </summary>
internal sealed unsafe class Warp(GroupRun group, int number)
{
    public const int Lanes = 32;

    private readonly Stack<Part> _parts = [];
    private Instruction[] _code = [];
    private int _slots, _slotRoom, _fileBytes;
    private Part _now;

    /// <summary>Values of the registers, which of them are written, and the predicates.</summary>
    public byte* File;
    public uint* Written, Predicates;

    /// <summary>Addresses of the access that is being executed.</summary>
    public readonly ulong* Addresses = (ulong*)NativeMemory.AlignedAlloc(Lanes * sizeof(ulong), 64);

    public GroupRun Group => group;

    public int Number => number;

    public int FirstThread => number * Lanes;

    /// <summary>Threads that the group has in this warp.</summary>
    public uint Existing { get; private set; }

    /// <summary>Times that <c>bar.warp.sync</c> has put the warp's threads in order.</summary>
    public int Interval { get; set; }

    public bool Ended { get; private set; }

    /// <summary>The barrier at which the warp waits, null if it does not.</summary>
    public Instruction? Waiting { get; private set; }

    /// <summary>Copies under way.</summary>
    public CopyQueue Copies { get; } = new();

    ~Warp()
    {
        NativeMemory.AlignedFree(File);
        NativeMemory.AlignedFree(Written);
        NativeMemory.AlignedFree(Addresses);
    }

    /// <summary>Prepares for the groups of a launch: values that do not change.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Load(PtxProgram program, LaunchShape shape)
    {
        Reserve(program.FileBytes, program.Slots.Count);
        _code = program.Code;
        int threads = Math.Min(Lanes, shape.Threads - FirstThread);
        Existing = threads == Lanes ? uint.MaxValue : (1u << threads) - 1;
        for (int slot = 0; slot < _slots; slot++)
        {
            var it = program.Slots[slot];
            if (it.Special is Special.None or Special.Ctaid) continue;
            if (it.Bits == 1) Predicates[slot] = (uint)it.Value;
            else for (int lane = 0; lane < Lanes; lane++) Set(it, lane, Value(it, shape, lane));
        }
    }

    /// <summary>Begins a group.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Start(PtxProgram program)
    {
        program.Written.AsSpan().CopyTo(new Span<uint>(Written, _slots));
        foreach (var slot in program.GroupSlots)
            for (int lane = 0; lane < Lanes; lane++) Set(slot, lane, Axis(group.Index, slot.Value));
        _parts.Clear();
        Copies.Clear();
        _now = new Part(0, _code.Length, Existing);
        (Ended, Waiting, Interval) = (false, null, 0);
    }

    /// <summary>Counts of the instruction that is being executed.</summary>
    public ref Counter Counter => ref group.Counters[_now.At];

    public void Release() => Waiting = null;

    /// <summary>Runs up to a barrier of the group or to the end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run()
    {
        var code = _code;
        var counters = group.Counters;
        long budget = group.Budget(number);
        while (true)
        {
            if (_now.At == _now.Join && Merge()) continue;
            var i = code[_now.At];
            uint active = _now.Mask, mask = active;
            if (i.Guard >= 0) mask &= Guard(i, active);
            ref var counter = ref counters[_now.At];
            counter.Executed++;
            counter.Threads += BitOperations.PopCount(i.Flow == Flow.Branch ? active : mask);
            if (--budget < 0) throw Endless(i, active);
            if (i.Flow == Flow.Straight)
            {
                if (mask != 0) Execute(i, mask);
                _now.At++;
            }
            else if (!Steer(i, active, mask)) break;
        }
        group.SetBudget(number, budget);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Execute(Instruction i, uint mask)
    {
        uint written = Written[i.A.Slot] & Written[i.B.Slot] & Written[i.C.Slot];
        foreach (var source in i.Sources) written &= Written[source.Slot];
        if ((mask & ~written) != 0) throw Unwritten(i, mask);
        i.Execute(this, i, mask);
        Written[i.D.Slot] |= mask;
        foreach (var target in i.Targets) Written[target.Slot] |= mask;
    }

    private uint Guard(Instruction i, uint active)
    {
        uint missing = active & ~Written[i.Guard];
        if (missing != 0) throw Unwritten(i, missing, i.Guard);
        return i.Negated ? ~Predicates[i.Guard] : Predicates[i.Guard];
    }

    /// <summary>Whether the warp goes on after an instruction that is not a plain one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private bool Steer(Instruction i, uint active, uint taken)
    {
        switch (i.Flow)
        {
            case Flow.Branch:
                Branch(i, active, taken);
                return true;
            case Flow.Exit:
                _now.At++;
                return Leave(taken);
            default:
                if (taken == 0)
                {
                    _now.At++;
                    return true;
                }
                if (taken != Existing) throw Missing(PtxFaultKind.Barrier, i, taken, Existing & ~taken, "waits at a barrier");
                _now.At++;
                Waiting = i;
                return false;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Branch(Instruction i, uint active, uint taken)
    {
        uint passed = active & ~taken;
        if (taken == 0) _now.At++;
        else if (passed == 0) _now.At = i.Target;
        else Split(i, taken, passed);
    }

    // Both sides run up to the join; what runs behind it stays on the stack until they are there.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Split(Instruction i, uint taken, uint passed)
    {
        if (i.Uniform)
        {
            string other = group.Name(FirstThread + BitOperations.TrailingZeroCount(passed));
            string what = $"takes a branch marked uniform that thread {other} of its warp does not take";
            throw Fault(PtxFaultKind.NonUniformBranch, i, taken, what);
        }
        int join = i.Join < 0 ? _code.Length : i.Join, next = _now.At + 1;
        if (join != _now.Join) _parts.Push(_now with { At = join });
        var (first, second) = (new Part(next, join, passed), new Part(i.Target, join, taken));
        if (second.At != join) _parts.Push(second);
        _now = first;
    }

    /// <summary>The threads of this part are where the others will come to; false if there are no others.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private bool Merge() => _parts.TryPop(out _now);

    /// <summary>Threads end; whether the warp has others.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private bool Leave(uint threads)
    {
        Part[] open = [.. _parts.Reverse()];
        _parts.Clear();
        foreach (var part in open)
            if ((part.Mask & ~threads) != 0) _parts.Push(part with { Mask = part.Mask & ~threads });
        _now.Mask &= ~threads;
        if (_now.Mask != 0 || _parts.TryPop(out _now)) return true;
        Ended = true;
        return false;
    }

    private PtxFaultException Unwritten(Instruction i, uint mask)
    {
        var slot = new[] { i.A, i.B, i.C }.Concat(i.Sources).First(source => (mask & ~Written[source.Slot]) != 0).Slot;
        return Unwritten(i, mask & ~Written[slot], slot);
    }

    private PtxFaultException Unwritten(Instruction i, uint mask, int slot) =>
        Fault(PtxFaultKind.UnwrittenRegister, i, mask, $"register {group.Program.Slots[slot].Name} is read before it is written");

    private PtxFaultException Endless(Instruction i, uint active) =>
        Fault(PtxFaultKind.Budget, i, active, $"the warp executed {group.Options.InstructionBudget} instructions and has not ended");

    /// <summary>A fault of threads that do together what others do not do.</summary>
    public PtxFaultException Missing(PtxFaultKind kind, Instruction i, uint here, uint missing, string does)
    {
        int thread = FirstThread + BitOperations.TrailingZeroCount(missing);
        bool runs = _parts.Any(part => (part.Mask & missing & (uint)-(int)missing) != 0);
        string there = runs ? "went another way" : "has ended";
        return Fault(kind, i, here, $"{does} that thread {group.Name(thread)} does not reach: it {there}");
    }

    /// <summary>A fault of the first thread of a mask.</summary>
    public PtxFaultException Fault(PtxFaultKind kind, Instruction i, uint mask, string what) =>
        group.Fault(kind, i, FirstThread + BitOperations.TrailingZeroCount(mask), what);

    private void Reserve(int fileBytes, int slots)
    {
        if (fileBytes > _fileBytes)
        {
            NativeMemory.AlignedFree(File);
            File = (byte*)NativeMemory.AlignedAlloc((nuint)(_fileBytes = fileBytes), 64);
        }
        if (slots > _slotRoom)
        {
            NativeMemory.AlignedFree(Written);
            Written = (uint*)NativeMemory.AlignedAlloc((nuint)(2 * (_slotRoom = slots) * sizeof(uint)), 64);
            Predicates = Written + slots;
        }
        _slots = slots;
    }

    private void Set(Slot slot, int lane, ulong value)
    {
        if (slot.Bits == 64) ((ulong*)(File + slot.Offset))[lane] = value;
        else ((uint*)(File + slot.Offset))[lane] = (uint)value;
    }

    private ulong Value(Slot slot, LaunchShape shape, int lane) => slot.Special switch
    {
        Special.Constant => slot.Value,
        Special.Tid => Axis(shape.Thread(FirstThread + lane), slot.Value),
        Special.Ntid => Axis(new Index3(shape.BlockX, shape.BlockY, shape.BlockZ), slot.Value),
        Special.Nctaid => Axis(new Index3(shape.GridX, shape.GridY, shape.GridZ), slot.Value),
        Special.LaneId => (ulong)lane,
        Special.WarpId => (ulong)number,
        Special.WarpCount => (ulong)((shape.Threads + Lanes - 1) / Lanes),
        _ => (ulong)shape.DynamicSharedBytes,
    };

    private static ulong Axis(Index3 index, ulong axis) => (ulong)(axis == 0 ? index.X : axis == 1 ? index.Y : index.Z);

    /// <summary>Threads that run together, the instruction that they are at, and the one at which they meet others.</summary>
    private record struct Part(int At, int Join, uint Mask);
}
