namespace Rpat.Engine.Devices;

/// <summary>Functions that every backend provides for code that is written once for all of them.</summary>
public interface IMath
{
    /// <summary>eˣ; infinity or 0 outside the range of double precision.</summary>
    double Exp(double x);

    /// <summary>ln x for normal x; NaN below 0.</summary>
    double Log(double x);

    /// <summary>√x.</summary>
    double Sqrt(double x);
}

/// <summary>
/// A scalar function applied to each value of a tensor: its value and its derivative, written once for every backend. It is a struct of
/// plain numbers without arrays, and its methods call only methods that can be inlined, so that it can run on a GPU.
/// </summary>
public interface IElementwise
{
    /// <summary>f(x).</summary>
    double Value<TMath>(double x, TMath math) where TMath : struct, IMath;

    /// <summary>f′(x).</summary>
    double Derivative<TMath>(double x, TMath math) where TMath : struct, IMath;
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
