using System.Numerics;

namespace Rpat.Engine.Devices;

/// <summary>
/// A number that a function is computed with: one on a GPU, several at once in the vectors of a CPU. There are no branches, since each of
/// several may take another: <see cref="IfLess"/> and <see cref="IfEqual"/> choose between two results that are both computed.
/// </summary>
public interface IReal<T> : IAdditionOperators<T, T, T>, ISubtractionOperators<T, T, T>, IMultiplyOperators<T, T, T>,
    IDivisionOperators<T, T, T>, IUnaryNegationOperators<T, T>
    where T : struct, IReal<T>
{
    /// <summary>A constant.</summary>
    static abstract implicit operator T(double value);

    /// <summary>eˣ; infinity or 0 outside the range of double precision.</summary>
    static abstract T Exp(T x);

    /// <summary>ln x for normal x; −∞ at 0, NaN below.</summary>
    static abstract T Log(T x);

    /// <summary>a &lt; b ? then : otherwise.</summary>
    static abstract T IfLess(T a, T b, T then, T otherwise);

    /// <summary>a == b ? then : otherwise.</summary>
    static abstract T IfEqual(T a, T b, T then, T otherwise);
}

/// <summary>
/// A scalar function applied to each value of a tensor: its value and its derivative, written once for every backend. It is a struct of
/// plain numbers without arrays, and its methods call only methods that can be inlined, so that it can run on a GPU.
/// </summary>
public interface IElementwise
{
    /// <summary>f(x).</summary>
    T Value<T>(T x) where T : struct, IReal<T>;

    /// <summary>f′(x).</summary>
    T Derivative<T>(T x) where T : struct, IReal<T>;
}

/// <summary>The kernels of every scalar function: a new one is one struct and needs no new kernel.</summary>
public interface IElementwiseKernels
{
    /// <summary>y = f(x), the view of x applied; channels beyond C stay zero.</summary>
    void Elementwise<TOp>(in TOp op, Shape shape, Layout layout, in Operand x, DeviceBuffer y) where TOp : struct, IElementwise;

    /// <summary>dx (+)= d·f′(x)·dy, with d the derivative of the view of x if <paramref name="through"/>, else 1.</summary>
    void ElementwiseGradient<TOp>(in TOp op, Shape shape, Layout layout, in Operand x, bool through, DeviceBuffer dy, bool accumulate,
        DeviceBuffer dx)
        where TOp : struct, IElementwise;
}
