namespace Rpat.Engine.Ops;

/// <summary>Recording of the conversion from images to rows, for networks whose first layer is fully connected.</summary>
public static class FlattenOp
{
    /// <summary>Plain <c>[N, C, H, W]</c> → <c>[N, C·H·W]</c> in the same order; an input normalisation is applied on the way.</summary>
    /// <exception cref="ShapeException">x is not in plain order.</exception>
    public static Tensor Flatten(this Tape tape, Tensor x)
    {
        ShapeException.Require((x.View?.Source ?? x).Layout == Layout.Plain, "Flatten", $"{x} must be images, not activations");
        return tape.Record(new FlattenNode(tape, x)).Output;
    }
}

internal sealed class FlattenNode : Node
{
    private readonly Edge _x;
    private readonly Shape _shape;

    public FlattenNode(Tape tape, Tensor x)
    {
        (_x, _shape) = (tape.AddInput(x), x.Shape);
        Output = tape.NewTensor(new Shape(_shape.N, _shape.SampleCount), Layout.Plain, "flat");
        (Inputs, Outputs) = ([_x], [Output]);
    }

    public Tensor Output { get; }
    public override string Op => "Flatten";
    public override IReadOnlyList<Edge> Inputs { get; }
    public override IReadOnlyList<Tensor> Outputs { get; }

    public override void Forward(IKernels k) => k.Apply(_shape, Layout.Plain, _x.Operand, Output.Data);

    public override void Backward(IKernels k) =>
        k.AddGradient(_shape, Layout.Plain, Output.Grad, null, _x.ThroughOperand, _x.Accumulate, _x.Grad);
}
