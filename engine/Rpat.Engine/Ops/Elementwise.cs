namespace Rpat.Engine.Ops;

/// <summary>Recording of scalar functions.</summary>
public static class ElementwiseOp
{
    /// <summary>f(x) of each value, in x's size and layout; a view is applied on the way.</summary>
    public static Tensor Elementwise<TOp>(this Tape tape, TOp op, Tensor x) where TOp : struct, IElementwise =>
        tape.Record(new ElementwiseNode<TOp>(tape, op, x)).Output;
}

internal sealed class ElementwiseNode<TOp>(Tape tape, TOp op, Tensor x) : ApplyNode(tape, x, typeof(TOp).Name)
    where TOp : struct, IElementwise
{
    public override string Op => typeof(TOp).Name;
    public override IEnumerable<Tensor> Saved => X.Reads;
    public override void Forward(IKernels k) => k.Elementwise(op, Output.Shape, Output.Layout, X.Operand, Output.Data);

    public override void Backward(IKernels k) =>
        k.ElementwiseGradient(op, Output.Shape, Output.Layout, X.Operand, X.Through is not null, Output.Grad, X.Accumulate, X.Grad);
}
