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

/// <summary>Recording of scalar functions.</summary>
public static class ElementwiseOp
{
    /// <summary>f(x) of each value, in x's size and layout.</summary>
    public static Tensor Elementwise<TOp>(this Tape tape, TOp op, Tensor x) where TOp : struct, IElementwise =>
        tape.Record(new ElementwiseNode<TOp>(tape, op, x.View is null ? x : Materialize.Record(tape, x))).Output;
}

internal sealed class ElementwiseNode<TOp>(Tape tape, TOp op, Tensor x) : ApplyNode(tape, x, typeof(TOp).Name)
    where TOp : struct, IElementwise
{
    public override string Op => typeof(TOp).Name;
    public override IEnumerable<Tensor> Saved => [X.Stored];
    public override void Forward(IKernels k) => k.Elementwise(op, Output.Shape, Output.Layout, X.Data, Output.Data);

    public override void Backward(IKernels k) =>
        k.ElementwiseGradient(op, Output.Shape, Output.Layout, X.Data, Output.Grad, X.Accumulate, X.Grad);
}
