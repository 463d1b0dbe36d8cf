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
    public T Value<T>(T a, T b) where T : struct, IReal<T> => 1 - 1 / (1 + (a - b) * (a - b));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T ByA<T>(T a, T b) where T : struct, IReal<T>
    {
        T rest = 1 / (1 + (a - b) * (a - b));
        return 2 * (a - b) * rest * rest;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T ByB<T>(T a, T b) where T : struct, IReal<T> => -ByA(a, b);
}

/// <summary>Records it.</summary>
public static class RobustDifferenceOp
{
    public static Tensor RobustDifference(this Tape tape, Tensor a, Tensor b) => tape.Binary(new RobustDifference(), a, b);
}
