namespace Rpat.Robust.Ops;

/// <summary>Recording of a backward pass that starts from the caller's gradient.</summary>
public static class CotangentOp
{
    /// <summary>
    /// Lets the backward pass start at y <c>[N, K]</c> from ∂L/∂y, which the caller uploads to the returned tensor between
    /// <see cref="Tape.Forward"/> and <see cref="Tape.Backward"/>: any loss of the logits, even a different one for each row, without its
    /// own kernel.
    /// </summary>
    /// <exception cref="ShapeException">y is not plain.</exception>
    public static Tensor Cotangent(this Tape tape, Tensor y)
    {
        ShapeException.Require(Argument.Given(y).Layout == Layout.Plain, "Cotangent",
            $"{y} must be plain rows such as logits");
        return tape.Record(new CotangentNode(tape, y)).Given;
    }
}

internal sealed class CotangentNode : Node
{
    private readonly Edge _y;
    private readonly Shape _shape;

    public CotangentNode(Tape tape, Tensor y)
    {
        _y = tape.AddStoredInput(y);
        _shape = new Shape(1, 1, y.Shape.N, y.Shape.SampleCount); // one plane: the values are few
        Given = Tensor.Create(tape.Device, y.Shape, name: "cotangent");
        tape.Retain(y);
        Inputs = [_y];
    }

    /// <summary>∂L/∂y, written by the caller.</summary>
    public Tensor Given { get; }

    public override string Op => "Cotangent";
    public override IReadOnlyList<Edge> Inputs { get; }
    public override IReadOnlyList<Tensor> Outputs => [];
    public override bool StartsBackward => true;

    public override void Forward(IKernels k)
    {
        // The caller supplies the gradient, so there is no value to compute.
    }

    public override void Backward(IKernels k) =>
        k.AddGradient(_shape, Layout.Plain, Given.Data, null, default, _y.Accumulate, _y.Grad);
}
