namespace Rpat.Engine.Kernels.Cpu;

/// <summary>The blocked layout nChw16c: <c>[N][⌈C/16⌉][H][W][16]</c>, channels beyond C stored as zeros.</summary>
internal static class Blocks
{
    /// <summary>Channels of a block, and floats of a <see cref="Vec"/>.</summary>
    public const int Size = 16;

    /// <summary>Number of blocks for that many channels.</summary>
    public static int Count(int channels) => (channels + Size - 1) / Size;

    /// <summary>Floats that a blocked tensor takes.</summary>
    public static long Length(Shape s) => (long)s.N * Count(s.C) * s.Area * Size;
}

/// <summary>Up to four channel blocks of outputs that a tile computes together; weights are packed panel by panel.</summary>
/// <param name="Blocks">1, 2 or 4.</param>
internal readonly record struct Panel(int Block, int Blocks)
{
    /// <summary>Columns of the panel.</summary>
    public int Columns => Blocks * Cpu.Blocks.Size;

    /// <summary>Number of panels for a number of blocks: panels of four first, then of two, then of one.</summary>
    public static int Count(int blocks) => blocks / 4 + (blocks % 4 + 1) / 2;

    /// <summary>A panel by its number.</summary>
    public static Panel At(int index, int blocks)
    {
        int fours = blocks / 4;
        return index <= fours ? Cpu.Columns.PanelOf(4 * index, blocks) : new Panel(4 * fours + 2, 1);
    }

    /// <summary>Offset of the panel in a packed matrix with that many rows.</summary>
    public long Offset(long rows) => (long)Block * Cpu.Blocks.Size * rows;

    /// <summary>The same place in the next panel, given the place in this one; null if there is none of this width.</summary>
    public unsafe float* NextOf(float* at, long rows, int blocks) => Block + 2 * Blocks <= blocks ? at + rows * Columns : null;
}

/// <summary>A view's map for the kernels: [ReLU](scale·x + shift), 16 channels at a time.</summary>
internal readonly unsafe struct Affine(float* data, float* scale, float* shift, bool relu)
{
    public readonly float* Data = data;
    public readonly float* Scale = scale;
    public readonly float* Shift = shift;
    public readonly bool Relu = relu;

    public Affine(in Operand x) : this(x.Data.FloatsOrNull(), x.Scale.FloatsOrNull(), x.Shift.FloatsOrNull(), x.Relu)
    {
    }

    /// <summary>Stored values without a map.</summary>
    public Affine(float* data) : this(data, null, null, false)
    {
    }

    /// <summary>The same map starting at another channel block; the data pointer does not change.</summary>
    public Affine From(int block) => Scale == null ? this : new(Data, Scale + block * Blocks.Size, Shift + block * Blocks.Size, Relu);

    public bool IsMap => Scale != null || Relu;

    /// <summary>Factor and summand of a channel block; 1 and 0 without a map.</summary>
    public Vec ScaleOf(int block) => Scale == null ? Vec.One : System.Runtime.Intrinsics.Vector512.Load(Scale + block * Blocks.Size);

    public Vec ShiftOf(int block) => Scale == null ? Vec.Zero : System.Runtime.Intrinsics.Vector512.Load(Shift + block * Blocks.Size);

    /// <summary>The ReLU's lower bound; −∞ without a ReLU.</summary>
    public Vec Floor => Relu ? Vec.Zero : System.Runtime.Intrinsics.Vector512.Create(float.NegativeInfinity);
}
