using System.Runtime.CompilerServices;
using ILGPU.Runtime.Cuda;

namespace Rpat.Ilgpu.Emulator.Ptx;

/// <summary>An operand %n of inline assembly: up to 64 bits that go in, and the place where a result goes.</summary>
internal unsafe struct PtxOperand
{
    public ulong Bits;
    public int Bytes;

    /// <summary>Where the value is written back, or null. It lies in a frame, which does not move.</summary>
    public void* Target;

    public static PtxOperand In<T>(T value)
        where T : struct => new() { Bits = Read(ref value), Bytes = Unsafe.SizeOf<T>() };

    public static PtxOperand Out<T>(ref T target)
        where T : struct => new() { Bytes = Unsafe.SizeOf<T>(), Target = Unsafe.AsPointer(ref target) };

    /// <summary>An <c>Input</c>, <c>Output</c> or <c>Ref</c>, which hold nothing but their value.</summary>
    public static PtxOperand Of<T>(ref T parameter)
        where T : struct, ICudaAsmEmitParameter
    {
        bool isInput = typeof(T).GetGenericTypeDefinition() == typeof(Input<>);
        return new PtxOperand { Bits = Read(ref parameter), Bytes = Unsafe.SizeOf<T>(), Target = isInput ? null : Unsafe.AsPointer(ref parameter) };
    }

    /// <summary>Writes the result back.</summary>
    public readonly void Store()
    {
        ulong bits = Bits;
        if (Target != null) Unsafe.CopyBlock(Target, &bits, (uint)Bytes);
    }

    private static ulong Read<T>(ref T value)
        where T : struct
    {
        if (Unsafe.SizeOf<T>() > sizeof(ulong)) throw Fault.In($"passes a {typeof(T).Name} of {Unsafe.SizeOf<T>()} bytes to inline assembly");
        ulong bits = 0;
        Unsafe.CopyBlock(&bits, Unsafe.AsPointer(ref value), (uint)Unsafe.SizeOf<T>());
        return bits;
    }
}
