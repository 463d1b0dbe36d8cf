namespace Rpat.Engine.Autograd;

/// <summary>ReLU, and materialising a view for kernels that cannot apply it while loading.</summary>
internal abstract class ApplyNode : OpNode
{
    protected ApplyNode(Tape tape, Tensor x, string name)
    {
        X = tape.AddInput(x);
        Connect([X], tape.NewTensor(x.Shape, (x.View?.Source ?? x).Layout, name));
    }

    protected Edge X { get; }

    protected void Gradient(IKernels k, DeviceBuffer? mask) =>
        k.AddGradient(Output.Shape, Output.Layout, Output.Grad, mask, X.ThroughOperand, X.Accumulate, X.Grad);
}

internal sealed class Materialize(Tape tape, Tensor x) : ApplyNode(tape, x, $"stored {x.Name}")
{
    public override string Op => "Materialize";
    public override void Forward(IKernels k) => k.Apply(Output.Shape, Output.Layout, X.Operand, Output.Data);
    public override void Backward(IKernels k) => Gradient(k, null);

    public static Tensor Record(Tape tape, Tensor x) => tape.Record(new Materialize(tape, x)).Output;
}
