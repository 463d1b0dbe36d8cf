using ILGPU;

namespace Rpat.Engine.Gpu.Primitives;

/// <summary>
/// Exponential and logarithm in double precision from plain arithmetic. The hardware's are single-precision approximations, and the others
/// are in a library that needs the CUDA SDK; losses have few values, and these are the same operations everywhere, of which an assembler
/// may join some. Logarithm and cosine do not branch: after a loop (that of Philox) the compiler may take a condition that differs between
/// threads for uniform, and mark the branch so for the assembler.
/// </summary>
internal static class Real
{
    private const double Log2E = 1.4426950408889634, Ln2High = 0.693147180369123816490, Ln2Low = 1.90821492927058770002e-10;
    private const ulong SqrtTwoFraction = 0x6A09E667F3BCD; // of 1.4142135623730951
    private const int Bias = 1023, MantissaBits = 52;
    private const ulong Mantissa = (1UL << MantissaBits) - 1;

    /// <summary>eˣ to about an ulp; 0 below -700, and infinity above 709.4.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Exp(double x)
    {
        if (x < -700) return 0;
        double least = x > 710 ? 710 : x; // from 709.44 the exponent is that of infinity
        int n = (int)(least * Log2E + (least < 0 ? -0.5 : 0.5));
        double r = least - n * Ln2High - n * Ln2Low;
        return Taylor(r) * Interop.IntAsFloat((ulong)(n + Bias) << MantissaBits);
    }

    /// <summary>ln x for normal x, infinity of infinity; NaN for all else.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Log(double x)
    {
        double poison = x > 0 ? 0 : double.NaN, infinite = x > double.MaxValue ? double.PositiveInfinity : 0;
        // 1 above √2, where m is halved
        ulong bits = Interop.FloatAsInt(x), fraction = bits & Mantissa, above = (SqrtTwoFraction - fraction) >> 63;
        double exponent = (int)((bits >> MantissaBits) + above) - Bias,
            m = Interop.IntAsFloat(fraction | (ulong)Bias - above << MantissaBits);
        return exponent * Ln2High + (Atanh2((m - 1) / (m + 1)) + exponent * Ln2Low) + (poison + infinite);
    }

    /// <summary>cos(2π·turn) for turns from 0 to 2.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double CosTurn(double turn)
    {
        int quarter = (int)(4 * turn + 0.5);
        double r = (4 * turn - quarter) * (0.5 * Math.PI), s = r * r;
        double even = CosSeries(s), odd = r * SinSeries(s), sign = 1 - (quarter + 1 & 2); // − in the second and third quarter
        return sign * ((quarter & 1) == 0 ? even : odd);
    }

    /// <summary>cos r for r² = s and |r| ≤ π/4.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double CosSeries(double s)
    {
        double p = 1.0 / 20922789888000 * s - 1.0 / 87178291200;
        p = p * s + 1.0 / 479001600;
        p = p * s - 1.0 / 3628800;
        p = p * s + 1.0 / 40320;
        p = p * s - 1.0 / 720;
        p = p * s + 1.0 / 24;
        p = p * s - 0.5;
        return p * s + 1;
    }

    /// <summary>sin r / r for r² = s and |r| ≤ π/4.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double SinSeries(double s)
    {
        double p = -1.0 / 1307674368000 * s + 1.0 / 6227020800;
        p = p * s - 1.0 / 39916800;
        p = p * s + 1.0 / 362880;
        p = p * s - 1.0 / 5040;
        p = p * s + 1.0 / 120;
        p = p * s - 1.0 / 6;
        return p * s + 1;
    }

    /// <summary>eʳ for |r| ≤ ln 2 / 2.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double Taylor(double r)
    {
        double p = 1.0 / 6227020800 * r + 1.0 / 479001600;
        p = p * r + 1.0 / 39916800;
        p = p * r + 1.0 / 3628800;
        p = p * r + 1.0 / 362880;
        p = p * r + 1.0 / 40320;
        p = p * r + 1.0 / 5040;
        p = p * r + 1.0 / 720;
        p = p * r + 1.0 / 120;
        p = p * r + 1.0 / 24;
        p = p * r + 1.0 / 6;
        p = p * r + 0.5;
        return p * r * r + r + 1;
    }

    /// <summary>2·artanh f = ln((1 + f)/(1 − f)) for |f| ≤ 0.172.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double Atanh2(double f)
    {
        double s = f * f, p = 1.0 / 21 * s + 1.0 / 19;
        p = p * s + 1.0 / 17;
        p = p * s + 1.0 / 15;
        p = p * s + 1.0 / 13;
        p = p * s + 1.0 / 11;
        p = p * s + 1.0 / 9;
        p = p * s + 1.0 / 7;
        p = p * s + 1.0 / 5;
        p = p * s + 1.0 / 3;
        return 2 * f + 2 * f * s * p;
    }
}
