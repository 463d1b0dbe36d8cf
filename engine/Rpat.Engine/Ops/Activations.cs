namespace Rpat.Engine.Ops;

/// <summary>Recording of the conversion from features to activations.</summary>
public static class ActivationsOp
{
    /// <summary>
    /// Plain values in the activation layout, for convolutions, batch norms and pooling: a batch norm of features <c>[N, C]</c> is a 2-D
    /// batch norm of maps of one pixel. <see cref="Pool2dOp.GlobalAveragePool"/> converts back.
    /// </summary>
    /// <exception cref="ShapeException">x is already in the activation layout.</exception>
    public static Tensor ToActivations(this Tape tape, Tensor x)
    {
        ShapeException.Require(x.Layout == Layout.Plain, "ToActivations", $"{x} must be plain");
        return tape.Record(new ToActivationsNode(tape, x)).Output;
    }
}

internal sealed class ToActivationsNode : Node
{
    private readonly Edge _x;

    public ToActivationsNode(Tape tape, Tensor x)
    {
        _x = tape.AddStoredInput(x);
        Output = tape.NewTensor(x.Shape, Layout.Blocked, "activations");
        (Inputs, Outputs) = ([_x], [Output]);
    }

    public Tensor Output { get; }
    public override string Op => "ToActivations";
    public override IReadOnlyList<Edge> Inputs { get; }
    public override IReadOnlyList<Tensor> Outputs { get; }

    public override void Forward(IKernels k) => k.ToActivations(Output.Shape, _x.Data, Output.Data);

    public override void Backward(IKernels k) => k.FromActivations(Output.Shape, Output.Grad, _x.Accumulate, _x.Grad);
}
