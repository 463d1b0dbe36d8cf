using System.Numerics;
using Rpat.PtxMachine.Execution;
using Rpat.PtxMachine.Text;

namespace Rpat.PtxMachine.Operations;

/// <summary>To nearest even, towards zero, downwards, upwards.</summary>
internal enum Rounding
{
    Rn,
    Rz,
    Rm,
    Rp,
}

/// <summary>Conversions between types, and between a register of 64 bits and two of 32.</summary>
internal static unsafe class Conversions
{
    /// <summary>Whether PTX has a conversion with this rounding.</summary>
    public static bool Takes(string mode, PtxType to, PtxType from)
    {
        bool whole = mode.EndsWith('i'), narrows = from.IsFloat && to.IsFloat && to.Bits < from.Bits, same = from == to;
        if (mode.Length == 0) return from.IsFloat == to.IsFloat && !narrows;
        return whole ? from.IsFloat && (!to.IsFloat || same) : (to.IsFloat && !from.IsFloat) || narrows;
    }

    public static void Run(Warp w, Instruction i, uint mask)
    {
        byte* from = w.File + i.A.Offset, to = w.File + i.D.Offset;
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = BitOperations.TrailingZeroCount(left);
            ulong result = Convert(i.Elements == 8 ? ((ulong*)from)[lane] : ((uint*)from)[lane], i);
            if (i.Bytes == 8) ((ulong*)to)[lane] = result;
            else ((uint*)to)[lane] = (uint)result;
        }
    }

    public static void Pack(Warp w, Instruction i, uint mask)
    {
        uint* low = (uint*)(w.File + i.Sources[0].Offset), high = (uint*)(w.File + i.Sources[1].Offset);
        ulong* to = (ulong*)(w.File + i.D.Offset);
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = BitOperations.TrailingZeroCount(left);
            to[lane] = (ulong)high[lane] << 32 | low[lane];
        }
    }

    public static void Unpack(Warp w, Instruction i, uint mask)
    {
        ulong* from = (ulong*)(w.File + i.A.Offset);
        uint* low = (uint*)(w.File + i.Targets[0].Offset), high = (uint*)(w.File + i.Targets[1].Offset);
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = BitOperations.TrailingZeroCount(left);
            (low[lane], high[lane]) = ((uint)from[lane], (uint)(from[lane] >> 32));
        }
    }

    private static ulong Convert(ulong bits, Instruction i)
    {
        if (i.From.IsFloat)
        {
            double value = i.From.Bits == 32 ? BitConverter.UInt32BitsToSingle((uint)bits) : BitConverter.UInt64BitsToDouble(bits);
            return i.To.IsFloat ? FloatToFloat(value, i) : FloatToWhole(value, i);
        }
        Int128 whole = Whole(bits, i.From);
        return i.To.IsFloat ? WholeToFloat(whole, i) : WholeToWhole(whole, i);
    }

    private static Int128 Whole(ulong bits, PtxType type)
    {
        int unused = 64 - type.Bits;
        return type.IsSigned ? (long)(bits << unused) >> unused : (Int128)(bits << unused >> unused);
    }

    private static Int128 Least(PtxType type) => type.IsSigned ? -(Int128.One << (type.Bits - 1)) : 0;

    private static Int128 Most(PtxType type) => (Int128.One << (type.IsSigned ? type.Bits - 1 : type.Bits)) - 1;

    private static ulong WholeToWhole(Int128 value, Instruction i)
    {
        if (i.Flag) value = Int128.Clamp(value, Least(i.To), Most(i.To));
        return (ulong)(UInt128)Whole((ulong)(UInt128)(value & ulong.MaxValue), i.To);
    }

    /// <summary>Out of range: the nearest there is. NaN: 0, but the top bit from f64 or to 64 bits.</summary>
    private static ulong FloatToWhole(double value, Instruction i)
    {
        if (double.IsNaN(value)) return i.From.Bits == 64 || i.To.Bits == 64 ? WholeToWhole(Int128.One << (i.To.Bits - 1), i) : 0;
        double whole = Round(value, (Rounding)i.Mode);
        var clamped = whole >= 2e19 ? Most(i.To) : whole <= -2e19 ? Least(i.To) : Int128.Clamp((Int128)whole, Least(i.To), Most(i.To));
        return (ulong)(UInt128)(clamped & ulong.MaxValue);
    }

    private static double Round(double value, Rounding mode) => mode switch
    {
        Rounding.Rz => Math.Truncate(value),
        Rounding.Rm => Math.Floor(value),
        Rounding.Rp => Math.Ceiling(value),
        _ => Math.Round(value, MidpointRounding.ToEven),
    };

    private static ulong FloatToFloat(double value, Instruction i)
    {
        if (i.From == i.To && i.Text.Contains("i.", StringComparison.Ordinal)) value = Round(value, (Rounding)i.Mode);
        if (i.Flag) value = double.IsNaN(value) ? 0 : Math.Clamp(value, 0, 1);
        if (i.To.Bits == 64) return BitConverter.DoubleToUInt64Bits(value);
        float near = (float)value;
        return Bits(Adjust(near, near > value ? 1 : near < value ? -1 : 0, (Rounding)i.Mode));
    }

    private static ulong WholeToFloat(Int128 value, Instruction i)
    {
        var mode = (Rounding)i.Mode;
        if (i.To.Bits == 32)
        {
            float near = value < 0 ? (float)(long)value : (float)(ulong)value;
            return Bits(Adjust(near, ((Int128)near).CompareTo(value), mode));
        }
        double close = value < 0 ? (double)(long)value : (double)(ulong)value;
        int side = ((Int128)close).CompareTo(value);
        if (Leaves(side, close < 0, mode)) close = side > 0 ? Math.BitDecrement(close) : Math.BitIncrement(close);
        return BitConverter.DoubleToUInt64Bits(close);
    }

    /// <summary>The neighbour of the nearest number that a direction asks for.</summary>
    /// <param name="side">1 if the nearest number is above the value, -1 if below.</param>
    private static float Adjust(float near, int side, Rounding mode) =>
        !Leaves(side, near < 0, mode) ? near : side > 0 ? MathF.BitDecrement(near) : MathF.BitIncrement(near);

    private static bool Leaves(int side, bool negative, Rounding mode) => mode switch
    {
        Rounding.Rm => side > 0,
        Rounding.Rp => side < 0,
        Rounding.Rz => negative ? side < 0 : side > 0,
        _ => false,
    };

    private static ulong Bits(float value) => BitConverter.SingleToUInt32Bits(float.IsNaN(value) ? Floats.NaN : value);

    /// <summary>To the 10 bits of TF32; ties away from zero.</summary>
    public static uint ToTf32(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? Floats.NaNBits : float.IsInfinity(value) ? bits : (bits + 0x1000) & 0xFFFF_E000;
    }

    /// <summary>To the 10 bits of TF32; ties to even.</summary>
    public static uint ToTf32Even(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? Floats.NaNBits : float.IsInfinity(value) ? bits : (bits + 0xFFF + (bits >> 13 & 1)) & 0xFFFF_E000;
    }

    /// <summary>To the 7 bits of bfloat16; ties to even.</summary>
    public static uint ToBf16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? 0x7FFF : (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
    }
}
