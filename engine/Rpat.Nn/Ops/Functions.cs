namespace Rpat.Nn.Ops;

/// <summary>x·σ(x), the sigmoid linear unit (Elfwing et al., 2018).</summary>
public readonly struct Silu : IElementwise
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TMath>(double x, TMath math) where TMath : struct, IMath => x / (1 + math.Exp(-x));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Derivative<TMath>(double x, TMath math) where TMath : struct, IMath
    {
        double s = 1 / (1 + math.Exp(-x));
        return s + x * s * (1 - s);
    }
}

/// <summary>x·Φ(x) with the normal distribution Φ (Hendrycks and Gimpel, 2016); Φ to a relative error of 1.2e-7 (Press et al., Numerical
/// Recipes, 6.2).</summary>
public readonly struct Gelu : IElementwise
{
    private const double Sqrt2 = 1.4142135623730951, NormalPeak = 0.3989422804014327; // 1/√(2π)

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TMath>(double x, TMath math) where TMath : struct, IMath => x * Normal(x, math);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Derivative<TMath>(double x, TMath math) where TMath : struct, IMath =>
        Normal(x, math) + x * NormalPeak * math.Exp(-0.5 * x * x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double Normal<TMath>(double x, TMath math) where TMath : struct, IMath
    {
        double z = (x < 0 ? -x : x) / Sqrt2, t = 1 / (1 + 0.5 * z);
        double p = t * 0.17087277 - 0.82215223;
        p = p * t + 1.48851587;
        p = p * t - 1.13520398;
        p = p * t + 0.27886807;
        p = p * t - 0.18628806;
        p = p * t + 0.09678418;
        p = p * t + 0.37409196;
        p = p * t + 1.00002368;
        p = p * t - 1.26551223;
        double half = 0.5 * t * math.Exp(p - z * z);
        return x < 0 ? half : 1 - half;
    }
}

/// <summary>σ(x) = 1/(1 + e⁻ˣ).</summary>
public readonly struct Sigmoid : IElementwise
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TMath>(double x, TMath math) where TMath : struct, IMath => 1 / (1 + math.Exp(-x));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Derivative<TMath>(double x, TMath math) where TMath : struct, IMath => Value(x, math) * (1 - Value(x, math));
}

/// <summary>The hyperbolic tangent, as 2σ(2x) − 1.</summary>
public readonly struct Tanh : IElementwise
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TMath>(double x, TMath math) where TMath : struct, IMath => 2 * new Sigmoid().Value(2 * x, math) - 1;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Derivative<TMath>(double x, TMath math) where TMath : struct, IMath => 4 * new Sigmoid().Derivative(2 * x, math);
}

/// <summary>log(1 + exp(β·x))/β, and x where β·x is above 20, as PyTorch does.</summary>
public readonly struct Softplus(double beta) : IElementwise
{
    private const double Linear = 20;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TMath>(double x, TMath math) where TMath : struct, IMath =>
        beta * x > Linear ? x : math.Log(1 + math.Exp(beta * x)) / beta;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Derivative<TMath>(double x, TMath math) where TMath : struct, IMath =>
        beta * x > Linear ? 1 : 1 / (1 + math.Exp(-beta * x));
}

/// <summary>x between two bounds, high above them, low + slope·(x − low) below: clamp, ReLU6, leaky ReLU, absolute value.</summary>
/// <param name="slope">Slope below <paramref name="low"/>.</param>
/// <param name="atLow">Derivative at <paramref name="low"/>.</param>
/// <param name="atHigh">Derivative at <paramref name="high"/>.</param>
public readonly struct Clamp(double low, double high, double slope, double atLow, double atHigh) : IElementwise
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TMath>(double x, TMath math) where TMath : struct, IMath =>
        x < low ? (slope == 0 ? low : low + slope * (x - low)) : x > high ? high : x;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Derivative<TMath>(double x, TMath math) where TMath : struct, IMath =>
        x < low ? slope : x > high ? 0 : x == low ? atLow : x == high ? atHigh : 1;
}

/// <summary>scale·x + offset.</summary>
public readonly struct Line(double scale, double offset) : IElementwise
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TMath>(double x, TMath math) where TMath : struct, IMath => scale * x + offset;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Derivative<TMath>(double x, TMath math) where TMath : struct, IMath => scale;
}

/// <summary>eˣ.</summary>
public readonly struct Exp : IElementwise
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TMath>(double x, TMath math) where TMath : struct, IMath => math.Exp(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Derivative<TMath>(double x, TMath math) where TMath : struct, IMath => math.Exp(x);
}

/// <summary>ln x; −∞ at 0 and NaN below.</summary>
public readonly struct Log : IElementwise
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TMath>(double x, TMath math) where TMath : struct, IMath =>
        x == 0 ? double.NegativeInfinity : math.Log(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Derivative<TMath>(double x, TMath math) where TMath : struct, IMath => 1 / x;
}

/// <summary>x to a constant power; of a negative x NaN, unless the power is an integer.</summary>
public readonly struct Power(double power) : IElementwise
{
    private readonly double _sign = power != Math.Floor(power) ? double.NaN : power % 2 == 0 ? 1 : -1;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TMath>(double x, TMath math) where TMath : struct, IMath => Of(x, power, math);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Derivative<TMath>(double x, TMath math) where TMath : struct, IMath =>
        power == 0 ? 0 : power * (x < 0 ? -Of(x, power - 1, math) : Of(x, power - 1, math));

    // Of a negative x with the sign of the whole power: an odd power's derivative is even.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private double Of<TMath>(double x, double p, TMath math) where TMath : struct, IMath
    {
        double size = x < 0 ? -x : x, zero = p > 0 ? 0 : p < 0 ? double.PositiveInfinity : 1;
        return x == 0 ? zero : (x < 0 ? _sign : 1) * math.Exp(p * math.Log(size));
    }
}
