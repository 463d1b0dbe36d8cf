using Rpat.PtxMachine;

namespace Rpat.Tests.PtxMachine;

internal static class PtxBody
{
    /// <summary>A body with something in its gaps.</summary>
    public static string Put(this string body, string part) => body.Replace("{0}", part, StringComparison.Ordinal);
}

/// <summary>Runs small kernels: a body between a common beginning, which the constants name, and <c>ret</c>.</summary>
internal sealed unsafe class PtxRig : IDisposable
{
    /// <summary>
    /// %rd0 is the results' address, %rd1 the inputs'; %rd3 and %rd4 are the thread's words of both. %r0 is the thread, %r1 the group,
    /// %r2 four times the thread, %r3 the shared array's address, %r4 the thread's word of it.
    /// </summary>
    private const string Beginning = """
        .version 8.6
        .target sm_80
        .address_size 64
        .visible .entry kernel(.param .u64 results, .param .u64 inputs)
        {
        .reg .pred %p<8>; .reg .b16 %rs<4>; .reg .b32 %r<64>; .reg .b64 %rd<16>; .reg .f32 %f<32>; .reg .f64 %fd<8>;
        .shared .align 16 .b8 s[4096];
        .extern .shared .align 16 .b8 __dyn_shared_alloca[];
        ld.param.u64 %rd0, [results]; ld.param.u64 %rd1, [inputs];
        mov.u32 %r0, %tid.x; mov.u32 %r1, %ctaid.x; shl.b32 %r2, %r0, 2; mov.u32 %r3, s; add.s32 %r4, %r3, %r2;
        mul.wide.u32 %rd2, %r0, 4; add.s64 %rd3, %rd0, %rd2; add.s64 %rd4, %rd1, %rd2;
        BODY:

        """;

    private readonly List<nint> _blocks = [];
    private readonly Machine _machine;

    public PtxRig()
    {
        _machine = new Machine(Memory);
        Results = Allocate("results", 4096);
    }

    public GlobalMemory Memory { get; } = new();

    public MachineOptions Options { set => _machine.Options = value; }

    public nint Results { get; }

    public nint Inputs { get; private set; }

    public Span<uint> Words => new((void*)Results, 1024);

    public Span<float> Floats => MemoryMarshal.Cast<uint, float>(Words);

    public void Dispose() => _blocks.ForEach(block => NativeMemory.AlignedFree((void*)block));

    public static PtxProgram Program(string body) => PtxProgram.Parse("kernel", Beginning + body + "\nret;\n}\n");

    /// <summary>Memory that nobody has written.</summary>
    public nint Allocate(string name, int bytes)
    {
        nint block = (nint)NativeMemory.AlignedAlloc((nuint)bytes, 256);
        _blocks.Add(block);
        Memory.Register(block, bytes, name);
        return block;
    }

    public PtxRig With<T>(params ReadOnlySpan<T> inputs)
        where T : unmanaged
    {
        var bytes = MemoryMarshal.AsBytes(inputs);
        Inputs = Allocate("inputs", bytes.Length);
        bytes.CopyTo(new Span<byte>((void*)Inputs, bytes.Length));
        Memory.MarkWritten(Inputs, bytes.Length);
        return this;
    }

    public LaunchReport Run(string body, int groups = 1, int threads = 32, int dynamicBytes = 0)
    {
        ReadOnlySpan<long> parameters = [Results, Inputs];
        var shape = new LaunchShape(groups, 1, 1, threads, 1, 1, dynamicBytes);
        return _machine.Launch(Program(body), MemoryMarshal.AsBytes(parameters), shape);
    }

    /// <summary>Runs a kernel that must fail.</summary>
    public PtxFaultException Fails(PtxFaultKind kind, string body, int groups = 1, int threads = 32, int dynamicBytes = 0)
    {
        var fault = Assert.Throws<PtxFaultException>(() => Run(body, groups, threads, dynamicBytes));
        Assert.Equal(kind, fault.Kind);
        return fault;
    }
}
