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
    public double Value<TMath>(double x, TMath math) where TMath : struct, IMath => x / (1 + math.Exp(-beta * x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Derivative<TMath>(double x, TMath math) where TMath : struct, IMath
    {
        double s = 1 / (1 + math.Exp(-beta * x));
        return s + beta * x * s * (1 - s);
    }
}

/// <summary>Records Swish.</summary>
public static class SwishOp
{
    public static Tensor Swish(this Tape tape, Tensor x, double beta = 1) => tape.Elementwise(new Swish(beta), x);
}
