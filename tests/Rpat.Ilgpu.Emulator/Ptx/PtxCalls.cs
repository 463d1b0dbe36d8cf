using Rpat.Ilgpu.Emulator.Execution;

namespace Rpat.Ilgpu.Emulator.Ptx;

/// <summary>Where translated kernels call inline assembly.</summary>
internal static unsafe partial class PtxCalls
{
    public static bool Emit(string asm) => Begin(asm, []);

    private static bool Begin(string asm, ReadOnlySpan<PtxOperand> operands) => Lane.Current.Ptx.Begin(asm, operands);
}
