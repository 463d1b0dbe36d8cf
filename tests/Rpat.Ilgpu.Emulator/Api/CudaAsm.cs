using Rpat.Ilgpu.Emulator;
using Rpat.Ilgpu.Emulator.Execution;
using Rpat.Ilgpu.Emulator.Fibres;
using Rpat.Ilgpu.Emulator.Ptx;

namespace ILGPU.Runtime.Cuda;

/// <summary>Inline PTX assembly.</summary>
public static partial class CudaAsm
{
    /// <summary>Whether the device understands it.</summary>
    public static bool IsSupported => !Emulation.Portable;

    /// <summary>Executes assembly without operands.</summary>
    [Collective(typeof(PtxCalls), nameof(PtxCalls.Emit))]
    public static void Emit(string asm) => throw Fibre.NotTranslated();
}

/// <summary>What <c>EmitRef</c> takes.</summary>
public interface ICudaAsmEmitParameter;

/// <summary>An operand that is read.</summary>
public struct Input<T> : ICudaAsmEmitParameter
    where T : struct
{
    /// <summary>The value.</summary>
    public T Value;

    /// <summary>From a value.</summary>
    public static implicit operator Input<T>(T v) => new() { Value = v };
}

/// <summary>An operand that is written.</summary>
public struct Output<T> : ICudaAsmEmitParameter
    where T : struct
{
    /// <summary>The value.</summary>
    public T Value;
}

/// <summary>An operand that is read and written.</summary>
public struct Ref<T> : ICudaAsmEmitParameter
    where T : struct
{
    /// <summary>The value.</summary>
    public T Value;

    /// <summary>From a value.</summary>
    public static implicit operator Ref<T>(T v) => new() { Value = v };
}
