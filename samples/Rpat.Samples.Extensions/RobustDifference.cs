using System.Runtime.CompilerServices;
using Rpat.Engine.Autograd;
using Rpat.Engine.Devices;
using Rpat.Engine.Ops;
using Rpat.Engine.Tensors;

namespace Rpat.Samples.Extensions;

/// <summary>d²/(1 + d²) of d = a − b (Geman and McClure, 1985): a difference that outliers dominate less.</summary>
public readonly struct RobustDifference : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value(double a, double b) => 1 - 1 / (1 + (a - b) * (a - b));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double ByA(double a, double b)
    {
        double rest = 1 / (1 + (a - b) * (a - b));
        return 2 * (a - b) * rest * rest;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double ByB(double a, double b) => -ByA(a, b);
}

/// <summary>Records it.</summary>
public static class RobustDifferenceOp
{
    public static Tensor RobustDifference(this Tape tape, Tensor a, Tensor b) => tape.Binary(new RobustDifference(), a, b);
}
