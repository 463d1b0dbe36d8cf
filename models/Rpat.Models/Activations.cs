namespace Rpat.Models;

/// <summary>x·(σ(|α|x) − |β|)/(1 − |β|), the parametric shifted SiLU of Dai et al. (2021), for fixed α and β.</summary>
internal readonly struct ParametricSilu(double alpha, double beta) : IElementwise
{
    private readonly double _alpha = Math.Abs(alpha), _beta = Math.Abs(beta);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Value<T>(T x) where T : struct, IReal<T> => x * (1 / (1 + T.Exp(-_alpha * x)) - _beta) / (1 - _beta);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Derivative<T>(T x) where T : struct, IReal<T>
    {
        T s = 1 / (1 + T.Exp(-_alpha * x));
        return (s - _beta + _alpha * x * s * (1 - s)) / (1 - _beta);
    }
}

/// <summary>a, or 0 where |a| is below b; the gradient by b is not computed.</summary>
internal readonly struct HardShrink : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Value<T>(T a, T b) where T : struct, IReal<T> => T.IfLess(T.IfLess(a, 0, -a, a), b, 0, a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T ByA<T>(T a, T b) where T : struct, IReal<T> => T.IfLess(T.IfLess(a, 0, -a, a), b, 0, 1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T ByB<T>(T a, T b) where T : struct, IReal<T> => 0;
}
