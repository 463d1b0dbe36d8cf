using Rpat.Engine.Autograd;
using Rpat.Engine.Devices;
using Rpat.Engine.Tensors;

namespace Rpat.Samples.Extensions;

/// <summary>Records (a + b)/2, an op of two tensors made of existing kernels.</summary>
public static class MeanOp
{
    /// <param name="a">Plain values, such as logits; a view is stored first.</param>
    /// <param name="b">Of the same size.</param>
    /// <exception cref="ShapeException">They differ in size or are activations.</exception>
    public static Tensor Mean(this Tape tape, Tensor a, Tensor b)
    {
        ShapeException.Require(a.Shape == b.Shape, "Mean", $"{a} and {b} differ in size");
        ShapeException.Require(a.Layout == Layout.Plain && b.Layout == Layout.Plain, "Mean", $"{a} and {b} must be plain");
        return tape.Record(new MeanNode(tape, a, b)).Outputs[0];
    }
}

internal sealed class MeanNode : Node
{
    public MeanNode(Tape tape, Tensor a, Tensor b)
    {
        Inputs = [tape.AddStoredInput(a), tape.AddStoredInput(b)];
        Outputs = [tape.NewTensor(a.Shape, Layout.Plain, "mean")];
    }

    public override string Op => "Mean";
    public override IReadOnlyList<Edge> Inputs { get; }
    public override IReadOnlyList<Tensor> Outputs { get; }
    private Tensor Y => Outputs[0];

    public override void Forward(IKernels k) => k.Lerp(Y.Shape.Count, Inputs[0].Data, Inputs[1].Data, 0.5f, Y.Data);

    public override void Backward(IKernels k)
    {
        foreach (Edge x in Inputs)
            if (x.NeedsGrad) k.Scale(Y.Shape.Count, Y.Grad, 0.5f, x.Accumulate, x.Grad);
    }
}
