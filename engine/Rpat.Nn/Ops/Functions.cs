namespace Rpat.Nn.Ops;

/// <summary>x·σ(x), the sigmoid linear unit (Elfwing et al., 2018).</summary>
public readonly struct Silu : IElementwise
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Value<T>(T x) where T : struct, IReal<T> => x / (1 + T.Exp(-x));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Derivative<T>(T x) where T : struct, IReal<T>
    {
        T s = 1 / (1 + T.Exp(-x));
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
    public T Value<T>(T x) where T : struct, IReal<T> => x * Normal(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Derivative<T>(T x) where T : struct, IReal<T> =>
        Normal(x) + x * NormalPeak * T.Exp(-0.5 * x * x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Normal<T>(T x) where T : struct, IReal<T>
    {
        T z = T.IfLess(x, 0, -x, x) / Sqrt2, t = 1 / (1 + 0.5 * z);
        T p = t * 0.17087277 - 0.82215223;
        p = p * t + 1.48851587;
        p = p * t - 1.13520398;
        p = p * t + 0.27886807;
        p = p * t - 0.18628806;
        p = p * t + 0.09678418;
        p = p * t + 0.37409196;
        p = p * t + 1.00002368;
        p = p * t - 1.26551223;
        T half = 0.5 * t * T.Exp(p - z * z);
        return T.IfLess(x, 0, half, 1 - half);
    }
}

/// <summary>σ(x) = 1 / (1 + e⁻ˣ).</summary>
public readonly struct Sigmoid : IElementwise
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Value<T>(T x) where T : struct, IReal<T> => 1 / (1 + T.Exp(-x));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Derivative<T>(T x) where T : struct, IReal<T>
    {
        T s = Value(x);
        return s * (1 - s);
    }
}

/// <summary>tanh x, from u = e²ˣ; (u − 1)·2x / ln u is e²ˣ − 1 without the cancellation near 0.</summary>
public readonly struct Tanh : IElementwise
{
    private const double One = 20; // tanh is ±1 from here on in double precision

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Value<T>(T x) where T : struct, IReal<T>
    {
        T twice = 2 * T.IfLess(x, -One, -One, T.IfLess(One, x, One, x)), u = T.Exp(twice);
        T less = T.IfEqual(u, 1, twice, (u - 1) * twice / T.Log(u));
        return less / (less + 2);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Derivative<T>(T x) where T : struct, IReal<T>
    {
        T y = Value(x);
        return 1 - y * y;
    }
}

/// <summary>log(1 + exp(β·x))/β, and x where β·x is above 20, as PyTorch does.</summary>
public readonly struct Softplus(double beta) : IElementwise
{
    private const double Linear = 20;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Value<T>(T x) where T : struct, IReal<T>
    {
        T e = T.Exp(beta * x), sum = 1 + e; // ln(1 + e) for small e: the sum's rounding error divided out
        return T.IfLess(Linear, beta * x, x, T.IfEqual(sum, 1, e, T.Log(sum) * e / (sum - 1)) / beta);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Derivative<T>(T x) where T : struct, IReal<T> =>
        T.IfLess(Linear, beta * x, 1, 1 / (1 + T.Exp(-beta * x)));
}

/// <summary>x between two bounds, high above them, low + slope·(x − low) below: clamp, ReLU6, leaky ReLU, absolute value.</summary>
/// <param name="slope">Slope below <paramref name="low"/>.</param>
/// <param name="atLow">Derivative at <paramref name="low"/>.</param>
/// <param name="atHigh">Derivative at <paramref name="high"/>.</param>
public readonly struct Clamp(double low, double high, double slope, double atLow, double atHigh) : IElementwise
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Value<T>(T x) where T : struct, IReal<T> =>
        T.IfLess(x, low, slope == 0 ? low : low + slope * (x - low), T.IfLess(high, x, high, x));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Derivative<T>(T x) where T : struct, IReal<T> =>
        T.IfLess(x, low, slope, T.IfLess(high, x, 0, T.IfEqual(x, low, atLow, T.IfEqual(x, high, atHigh, 1))));
}

/// <summary>scale·x + offset.</summary>
public readonly struct Line(double scale, double offset) : IElementwise
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Value<T>(T x) where T : struct, IReal<T> => scale * x + offset;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Derivative<T>(T x) where T : struct, IReal<T> => scale;
}

/// <summary>eˣ.</summary>
public readonly struct Exp : IElementwise
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Value<T>(T x) where T : struct, IReal<T> => T.Exp(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Derivative<T>(T x) where T : struct, IReal<T> => T.Exp(x);
}

/// <summary>ln x; −∞ at 0 and NaN below.</summary>
public readonly struct Log : IElementwise
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Value<T>(T x) where T : struct, IReal<T> => T.Log(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Derivative<T>(T x) where T : struct, IReal<T> => 1 / x;
}

/// <summary>x to a constant power; of a negative x NaN, unless the power is an integer.</summary>
public readonly struct Power(double power) : IElementwise
{
    private readonly double _sign = power != Math.Floor(power) ? double.NaN : power % 2 == 0 ? 1 : -1;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Value<T>(T x) where T : struct, IReal<T> => IsShort(power) ? Product(x, power) : Of(x, power);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Derivative<T>(T x) where T : struct, IReal<T>
    {
        if (power == 0) return 0;
        return power * (IsShort(power - 1) ? Product(x, power - 1) : T.IfLess(x, 0, -Of(x, power - 1), Of(x, power - 1)));
    }

    // Few factors are multiplied, which is more exact than a logarithm's multiple.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsShort(double p) => p == 0 || p == 1 || p == 2 || p == 3;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Product<T>(T x, double p) where T : struct, IReal<T>
    {
        if (p == 0) return 1;
        if (p == 1) return x;
        return p == 2 ? x * x : x * x * x;
    }

    // Of a negative x with the sign of the whole power: an odd power's derivative is even.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private T Of<T>(T x, double p) where T : struct, IReal<T>
    {
        T zero = p > 0 ? 0 : p < 0 ? double.PositiveInfinity : 1;
        return T.IfEqual(x, 0, zero, T.IfLess(x, 0, _sign, 1) * T.Exp(p * T.Log(T.IfLess(x, 0, -x, x))));
    }
}
