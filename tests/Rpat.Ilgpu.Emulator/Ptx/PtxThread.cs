using Rpat.Ilgpu.Emulator.Execution;

namespace Rpat.Ilgpu.Emulator.Ptx;

/// <summary>The inline assembly of one thread: its registers, its copies in flight and the program in progress.</summary>
internal sealed class PtxThread
{
    private const string DynamicShared = "__dyn_shared_alloca";
    private const byte Unknown = 0, Declared = 1, Written = 2;

    private ulong[] _registers = [];
    private byte[] _states = []; // of each register
    private PtxOperand[] _operands = [];
    private PtxProgram? _program;
    private int _next;
    private bool _met; // whether the collective instruction that it stands at is done

    /// <summary>Copies from global to shared memory that may not have happened yet.</summary>
    public PtxCopies Copies { get; } = new();

    /// <summary>The instruction that it stands at.</summary>
    public PtxInstruction Instruction => _program!.Instructions[_next];

    /// <summary>A kernel begins: no register is declared.</summary>
    public void Reset()
    {
        Array.Clear(_states);
        Copies.Clear();
        (_program, _met) = (null, false);
    }

    /// <summary>Begins a program; true where it must wait for the warp.</summary>
    public bool Begin(string asm, ReadOnlySpan<PtxOperand> operands)
    {
        (_program, _next, _operands) = (PtxProgram.Of(asm), 0, operands.ToArray());
        return !Resume();
    }

    /// <summary>Goes on with the program in progress; false where it must wait for the warp.</summary>
    public bool Resume()
    {
        if (_program is null) return true;
        for (; _next < _program.Instructions.Count; _next++)
        {
            var operation = Instruction.Operation;
            if (operation.Collective is null) operation.Execute!(this, Instruction);
            else if (!_met)
            {
                _met = true;
                Lane.Current.Wait(operation.Collective);
                return false;
            }
            _met = false;
        }
        foreach (var operand in _operands) operand.Store();
        _program = null;
        return true;
    }

    /// <summary>Makes registers known.</summary>
    public void Declare(int slot)
    {
        if (slot >= _states.Length)
        {
            Array.Resize(ref _states, Math.Max(256, 2 * slot));
            Array.Resize(ref _registers, _states.Length);
        }
        if (_states[slot] == Unknown) _states[slot] = Declared;
    }

    /// <summary>The bits of an operand.</summary>
    public ulong Get(PtxScalar scalar) => scalar.Kind switch
    {
        PtxKind.Register => Register((int)scalar.Value, scalar.Text),
        PtxKind.Argument => Argument(scalar).Bits,
        PtxKind.Symbol when scalar.Text == DynamicShared => Lane.Current.Group.Shared.DynamicOffset,
        PtxKind.Symbol => throw Fault.In($"names {scalar.Text} in assembly, which the emulator does not know"),
        _ => scalar.Value,
    };

    /// <summary>The bits of the only part of an operand.</summary>
    public ulong Get(PtxArgument argument) => Get(argument.Parts[0]);

    /// <summary>The lower half of the bits.</summary>
    public uint Word(PtxScalar scalar) => (uint)Get(scalar);

    /// <summary>An address with its offset added.</summary>
    public ulong Address(PtxArgument argument) => unchecked(Get(argument) + (ulong)argument.Offset);

    /// <summary>Writes an operand.</summary>
    public void Set(PtxScalar scalar, ulong bits)
    {
        if (scalar.Kind == PtxKind.Argument) Argument(scalar).Bits = bits;
        else if (scalar.Kind != PtxKind.Register) throw Fault.In($"writes {scalar.Text} in assembly");
        else
        {
            int slot = (int)scalar.Value;
            Require(slot, scalar.Text, Declared);
            (_registers[slot], _states[slot]) = (bits, Written);
        }
    }

    private ulong Register(int slot, string name)
    {
        Require(slot, name, Written);
        return _registers[slot];
    }

    private void Require(int slot, string name, byte state)
    {
        byte now = slot < _states.Length ? _states[slot] : Unknown;
        if (now < state) throw Fault.In($"uses register {name} in assembly, which is not {(now == Unknown ? "declared" : "written yet")}");
    }

    private ref PtxOperand Argument(PtxScalar scalar)
    {
        if (scalar.Value >= (ulong)_operands.Length) throw Fault.In($"uses {scalar.Text} in assembly that has {_operands.Length} operands");
        return ref _operands[scalar.Value];
    }
}
