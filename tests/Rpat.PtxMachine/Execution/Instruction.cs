using Rpat.PtxMachine.Execution;
using Rpat.PtxMachine.Text;

namespace Rpat.PtxMachine;

internal enum Flow
{
    Straight,
    Branch,
    Exit,
    GroupBarrier,
}

/// <summary>Where a register or a constant lies: its number, and its bytes in a warp's file.</summary>
internal readonly record struct Operand(int Slot, int Offset);

/// <summary>A decoded instruction.</summary>
internal sealed unsafe class Instruction(int line, string text, string operation)
{
    /// <summary>Line of the text, from 1 on.</summary>
    public readonly int Line = line;

    public readonly string Text = text;

    /// <summary>The operation without its types.</summary>
    public readonly string Operation = operation;

    public Flow Flow;

    /// <summary>Slot of the guard's predicate, -1 without one.</summary>
    public int Guard = -1;

    public bool Negated;

    /// <summary>Instruction that a branch goes to, and the one at which the threads that it parts are together again.</summary>
    public int Target, Join;

    public bool Uniform;

    /// <summary>Does the work for the threads of a mask, which is not empty.</summary>
    public delegate*<Warp, Instruction, uint, void> Execute;

    public Operand D, A, B, C;

    /// <summary>Registers beyond the first four: elements of vectors, and further sources.</summary>
    public Operand[] Targets = [], Sources = [];

    /// <summary>Bytes of one element of an access to memory, and what is added to its address.</summary>
    public int Bytes, Elements = 1;

    public long Displacement;

    /// <summary>Whether the address is in a 32-bit register.</summary>
    public bool NarrowAddress;

    public bool IsShared;

    /// <summary>Types of a conversion, and the type of an element in memory.</summary>
    public PtxType From, To;

    /// <summary>What an operation has besides: a rounding, a kind of exchange, a number of matrices.</summary>
    public int Mode;

    public bool Flag;
}
