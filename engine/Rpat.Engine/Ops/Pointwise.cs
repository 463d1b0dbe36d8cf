namespace Rpat.Engine.Ops;

/// <summary>Recording of additions and activations.</summary>
public static class PointwiseOp
{
    /// <summary>
    /// a + b, optionally clamped at zero (the end of a residual block): both of one size and layout, or b spread over a as in
    /// <see cref="BinaryOp.Binary"/>.
    /// </summary>
    /// <exception cref="ShapeException">The sizes or layouts do not fit.</exception>
    public static Tensor Add(this Tape tape, Tensor a, Tensor b, bool relu = false)
    {
        if (Argument.Given(a).Shape == Argument.Given(b).Shape && (a.Layout, b.Layout) == (Layout.Blocked, Layout.Blocked))
            return tape.Record(new AddNode(tape, a, b, relu)).Output;
        Tensor sum = tape.Binary(new Add(1), a, b);
        return relu ? tape.Relu(sum) : sum;
    }

    /// <summary>max(x, 0); the derivative at 0 is 0, as in PyTorch.</summary>
    public static Tensor Relu(this Tape tape, Tensor x) => tape.Record(new ReluNode(tape, x)).Output;
}

internal sealed class AddNode : OpNode
{
    private readonly Edge _a;
    private readonly Edge _b;
    private readonly bool _relu;

    public AddNode(Tape tape, Tensor a, Tensor b, bool relu)
    {
        (_a, _b, _relu) = (tape.AddInput(a), tape.AddInput(b), relu);
        Connect([_a, _b], tape.NewTensor(a.Shape, Layout.Blocked, relu ? "add-relu" : "add"));
    }

    public override string Op => "Add";
    public override IReadOnlyDictionary<string, int> Attributes => new Dictionary<string, int> { ["relu"] = _relu ? 1 : 0 };
    public override IEnumerable<Tensor> Saved => _relu ? [Output] : [];
    public override Edge? PassThrough => _relu ? null : _a;

    public override void Forward(IKernels k) => k.Add(Output.Shape, _a.Operand, _b.Operand, _relu, Output.Data);

    public override void Backward(IKernels k)
    {
        Backward(k, _a);
        Backward(k, _b);
    }

    private void Backward(IKernels k, Edge edge)
    {
        if (!edge.NeedsGrad || edge.SharesOutputGrad) return;
        k.AddGradient(Output.Shape, Layout.Blocked, Output.Grad, _relu ? Output.Data : null, edge.ThroughOperand, edge.Accumulate,
            edge.Grad);
    }
}

internal sealed class ReluNode(Tape tape, Tensor x) : ApplyNode(tape, x, "relu")
{
    public override string Op => "Relu";
    public override IEnumerable<Tensor> Saved => [Output];
    public override void Forward(IKernels k) => k.Apply(Output.Shape, Output.Layout, X.Operand with { Relu = true }, Output.Data);
    public override void Backward(IKernels k) => Gradient(k, Output.Data);
}
