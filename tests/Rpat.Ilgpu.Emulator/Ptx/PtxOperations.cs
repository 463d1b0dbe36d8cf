using Rpat.Ilgpu.Emulator.Execution;

namespace Rpat.Ilgpu.Emulator.Ptx;

/// <summary>What an instruction does: something of its own, or something that the whole warp does together.</summary>
internal sealed record PtxOperation(Action<PtxThread, PtxInstruction>? Execute, Collective? Collective = null);

/// <summary>The instructions that the emulator knows, those that the kernels use.</summary>
internal static class PtxOperations
{
    /// <summary>The operation of an instruction.</summary>
    /// <exception cref="EmulatorException">It is none that the emulator knows.</exception>
    public static PtxOperation Find(string name)
    {
        string[] parts = name.Split('.');
        return parts[0] switch
        {
            "" => new PtxOperation(static (thread, instruction) => DeclareAll(thread, instruction)),
            "mov" or "add" or "sub" or "mul" or "mad" or "fma" or "shl" or "shr" or "and" or "or" or "xor" or "cvt" => Arithmetic(name, parts),
            "ld" or "st" => PtxMemory.Operation(name, parts),
            "cp" => PtxCopies.Operation(name),
            "mma" => new PtxOperation(null, PtxMma.Find(name)),
            "ldmatrix" => new PtxOperation(null, PtxLdmatrix.Find(name)),
            _ => throw Unknown(name),
        };
    }

    public static EmulatorException Unknown(string name) => new($"The emulator does not know the PTX instruction '{name}'.");

    private static void DeclareAll(PtxThread thread, PtxInstruction instruction)
    {
        foreach (var register in instruction.Arguments) thread.Declare((int)register.Parts[0].Value);
    }

    private static PtxOperation Arithmetic(string name, string[] parts)
    {
        var function = PtxArithmetic.Find(name, parts);
        return new PtxOperation((thread, instruction) =>
        {
            var arguments = instruction.Arguments;
            ulong a = thread.Get(arguments[1]);
            ulong b = arguments.Length > 2 ? thread.Get(arguments[2]) : 0;
            ulong c = arguments.Length > 3 ? thread.Get(arguments[3]) : 0;
            thread.Set(arguments[0].Parts[0], function(a, b, c));
        });
    }
}
