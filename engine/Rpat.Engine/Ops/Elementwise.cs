using System.Runtime.CompilerServices;

namespace Rpat.Engine.Ops;

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

/// <summary>Recording of functions of one number.</summary>
public static class ElementwiseOp
{
    /// <summary>f(x) of each value, in x's size and layout; a batch norm's scale and shift are applied while loading.</summary>
    /// <param name="tape">Where it is recorded.</param>
    /// <param name="op">f.</param>
    /// <param name="x">Images, rows or activations.</param>
    public static Tensor Elementwise<TOp>(this Tape tape, TOp op, Tensor x) where TOp : struct, IElementwise =>
        tape.Record(new ElementwiseNode<TOp>(tape, op, x)).Output;
}

internal sealed class ElementwiseNode<TOp>(Tape tape, TOp op, Tensor x) : ApplyNode(tape, x, typeof(TOp).Name) where TOp : struct, IElementwise
{
    public override string Op => typeof(TOp).Name;
    public override IEnumerable<Tensor> Saved => X.Reads;

    public override void Forward(IKernels k) => k.Elementwise(op, Output.Shape, Output.Layout, X.Operand, Output.Data);

    public override void Backward(IKernels k) => k.ElementwiseGradient(
        op, Output.Shape, Output.Layout, X.Operand, Output.Grad, X.Through is not null, X.Accumulate, X.Grad);
}
