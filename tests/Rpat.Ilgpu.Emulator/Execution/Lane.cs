using ILGPU;

namespace Rpat.Ilgpu.Emulator.Execution;

/// <summary>One thread of a group: a stack of frames in native memory and what it waits for.</summary>
internal sealed unsafe class Lane(GroupRun group, int number)
{
    /// <summary>Bytes of the largest value that a collective passes on.</summary>
    public const int ValueBytes = 64;

    [ThreadStatic]
    private static Lane? t_current;

    /// <summary>The thread that runs now.</summary>
    /// <exception cref="EmulatorException">No kernel runs here.</exception>
    public static Lane Current => t_current ?? throw new EmulatorException("This member works inside a kernel only.");

    /// <summary>The thread that runs now, or null on the host.</summary>
    public static Lane? CurrentOrNull
    {
        get => t_current;
        set => t_current = value;
    }

    public GroupRun Group { get; } = group;

    /// <summary>Number within the group, the first index changing fastest.</summary>
    public int Number { get; } = number;

    public int Warp => Number / GroupRun.WarpSize;

    public Index3D Index { get; set; }

    /// <summary>The operation that it waits in, or null.</summary>
    public Collective? Pending { get; private set; }

    /// <summary>The call that made it wait: equal for threads that stand at the same place in the code.</summary>
    public int Site { get; set; }

    public bool Ended { get; set; }

    /// <summary>Shared allocations made so far: the n-th one is the same memory for every thread.</summary>
    public int Allocations { get; set; }

    /// <summary>Operands of the pending collective; what they mean is its own business.</summary>
    public int A { get; private set; }

    /// <summary>The second operand.</summary>
    public int B { get; private set; }

    /// <summary>The value brought along, <see cref="ValueBytes"/> long.</summary>
    public byte* Value { get; set; }

    /// <summary>The value taken home, as long.</summary>
    public byte* Result { get; set; }

    /// <summary>The bottom of its stack of frames.</summary>
    public byte* Stack { get; set; }

    /// <summary>Accesses to shared memory since its warp last waited, where they are counted.</summary>
    public List<SharedAccess> Accesses { get; } = [];

    /// <summary>Inline assembly: its registers and where it stands.</summary>
    public Ptx.PtxThread Ptx { get; } = new();

    public void Start(Index3D index)
    {
        (Index, Ended, Pending, Allocations) = (index, false, null, 0);
        Accesses.Clear();
        Ptx.Reset();
    }

    /// <summary>Goes to sleep in a collective.</summary>
    public void Wait(Collective collective, int a = 0, int b = 0) => (Pending, A, B) = (collective, a, b);

    /// <summary>Wakes up.</summary>
    public void Release() => Pending = null;
}
