using System.Runtime.CompilerServices;
using Rpat.Engine.Autograd;
using Rpat.Engine.Devices;
using Rpat.Engine.Ops;
using Rpat.Engine.Tensors;

namespace Rpat.Samples.Extensions;

/// <summary>x·σ(βx) (Ramachandran et al., 2017); with β = 1 it is SiLU.</summary>
public readonly struct Swish(double beta) : IElementwise
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Value<T>(T x) where T : struct, IReal<T> => x / (1 + T.Exp(-beta * x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Derivative<T>(T x) where T : struct, IReal<T>
    {
        T s = 1 / (1 + T.Exp(-beta * x));
        return s + beta * x * s * (1 - s);
    }
}

/// <summary>Records Swish.</summary>
public static class SwishOp
{
    public static Tensor Swish(this Tape tape, Tensor x, double beta = 1) => tape.Elementwise(new Swish(beta), x);
}
