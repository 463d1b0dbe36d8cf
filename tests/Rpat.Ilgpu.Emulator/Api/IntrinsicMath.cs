using System.Numerics;

namespace ILGPU;

/// <summary>Arithmetic that every kernel may use.</summary>
public static partial class IntrinsicMath
{
    /// <summary>The absolute value.</summary>
    public static float Abs(float value) => MathF.Abs(value);

    /// <summary>The absolute value.</summary>
    public static double Abs(double value) => Math.Abs(value);

    /// <summary>The absolute value.</summary>
    public static int Abs(int value) => Math.Abs(value);

    /// <summary>The smaller.</summary>
    public static float Min(float first, float second) => MathF.Min(first, second);

    /// <summary>The smaller.</summary>
    public static double Min(double first, double second) => Math.Min(first, second);

    /// <summary>The smaller.</summary>
    public static int Min(int first, int second) => Math.Min(first, second);

    /// <summary>The smaller.</summary>
    public static long Min(long first, long second) => Math.Min(first, second);

    /// <summary>The smaller.</summary>
    public static uint Min(uint first, uint second) => Math.Min(first, second);

    /// <summary>The larger.</summary>
    public static float Max(float first, float second) => MathF.Max(first, second);

    /// <summary>The larger.</summary>
    public static double Max(double first, double second) => Math.Max(first, second);

    /// <summary>The larger.</summary>
    public static int Max(int first, int second) => Math.Max(first, second);

    /// <summary>The larger.</summary>
    public static long Max(long first, long second) => Math.Max(first, second);

    /// <summary>The larger.</summary>
    public static uint Max(uint first, uint second) => Math.Max(first, second);

    /// <summary>The nearest value within bounds.</summary>
    public static float Clamp(float value, float min, float max) => Max(Min(value, max), min);

    /// <summary>The nearest value within bounds.</summary>
    public static int Clamp(int value, int min, int max) => Max(Min(value, max), min);

    /// <summary>Bits that are set.</summary>
    public static int PopCount(int value) => System.Numerics.BitOperations.PopCount((uint)value);

    /// <summary>Bits that are set.</summary>
    public static int PopCount(uint value) => System.Numerics.BitOperations.PopCount(value);

    /// <summary>Zeros above the highest set bit.</summary>
    public static int LeadingZeroCount(uint value) => System.Numerics.BitOperations.LeadingZeroCount(value);

    /// <summary>Zeros below the lowest set bit.</summary>
    public static int TrailingZeroCount(uint value) => System.Numerics.BitOperations.TrailingZeroCount(value);

    /// <summary>Quotient rounded down.</summary>
    public static int DivRoundDown(int numerator, int denominator) => numerator / denominator;

    /// <summary>Quotient rounded up.</summary>
    public static int DivRoundUp(int numerator, int denominator) => (numerator + denominator - 1) / denominator;
}
