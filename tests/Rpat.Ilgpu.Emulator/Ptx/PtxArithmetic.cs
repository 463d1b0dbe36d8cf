namespace Rpat.Ilgpu.Emulator.Ptx;

/// <summary>Arithmetic on the bits of registers.</summary>
internal static class PtxArithmetic
{
    /// <summary>The function of an instruction of up to three inputs.</summary>
    public static Func<ulong, ulong, ulong, ulong> Find(string name, string[] parts)
    {
        if (parts[0] == "mov") return (a, _, _) => a;
        if (parts[0] == "cvt") return Convert(name);
        return parts[^1] switch
        {
            "f32" => Float(name, parts[0]),
            "u32" or "s32" or "b32" => Narrow(Integer(name, parts[0], signed: parts[^1] == "s32", bits: 32)),
            "u64" or "s64" or "b64" => Integer(name, parts[0], signed: parts[^1] == "s64", bits: 64),
            _ => throw PtxOperations.Unknown(name),
        };
    }

    /// <summary>The nearest number with 10 bits of mantissa, ties away from zero: cvt.rna.tf32.f32.</summary>
    public static uint ToTf32(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsFinite(value) ? (bits + 0x1000) & 0xFFFF_E000 : bits;
    }

    /// <summary>The nearest number with 7 bits of mantissa, ties to even: cvt.rn.bf16.f32.</summary>
    public static uint ToBf16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        if (float.IsNaN(value)) return 0x7FFF;
        return (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
    }

    private static Func<ulong, ulong, ulong, ulong> Convert(string name) => name switch
    {
        "cvt.rna.tf32.f32" => (a, _, _) => ToTf32(F(a)),
        "cvt.rn.bf16.f32" => (a, _, _) => ToBf16(F(a)),
        "cvt.rn.bf16x2.f32" => (a, b, _) => ToBf16(F(a)) << 16 | ToBf16(F(b)),
        "cvt.u64.u32" => (a, _, _) => (uint)a,
        "cvt.u32.u64" => (a, _, _) => (uint)a,
        _ => throw PtxOperations.Unknown(name),
    };

    private static Func<ulong, ulong, ulong, ulong> Float(string name, string operation) => operation switch
    {
        "add" => (a, b, _) => U(F(a) + F(b)),
        "sub" => (a, b, _) => U(F(a) - F(b)),
        "mul" => (a, b, _) => U(F(a) * F(b)),
        "fma" => (a, b, c) => U(MathF.FusedMultiplyAdd(F(a), F(b), F(c))),
        _ => throw PtxOperations.Unknown(name),
    };

    private static Func<ulong, ulong, ulong, ulong> Integer(string name, string operation, bool signed, int bits) => operation switch
    {
        "add" => (a, b, _) => unchecked(a + b),
        "sub" => (a, b, _) => unchecked(a - b),
        "mul" when name.Contains(".lo.", StringComparison.Ordinal) => (a, b, _) => unchecked(a * b),
        "mad" when name.Contains(".lo.", StringComparison.Ordinal) => (a, b, c) => unchecked(a * b + c),
        "and" => (a, b, _) => a & b,
        "or" => (a, b, _) => a | b,
        "xor" => (a, b, _) => a ^ b,
        "shl" => (a, b, _) => (uint)b >= bits ? 0 : a << (int)b,
        "shr" when !signed => (a, b, _) => (uint)b >= bits ? 0 : (bits == 32 ? (uint)a : a) >> (int)b,
        "shr" => (a, b, _) => unchecked((ulong)((bits == 32 ? (int)a : (long)a) >> (int)Math.Min((uint)b, (uint)bits - 1))),
        _ => throw PtxOperations.Unknown(name),
    };

    private static Func<ulong, ulong, ulong, ulong> Narrow(Func<ulong, ulong, ulong, ulong> function) => (a, b, c) => (uint)function(a, b, c);

    private static float F(ulong bits) => BitConverter.UInt32BitsToSingle((uint)bits);

    private static ulong U(float value) => BitConverter.SingleToUInt32Bits(value);
}
