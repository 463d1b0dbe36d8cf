namespace Rpat.Engine.Ops;

/// <summary>Recording of interpolations.</summary>
public static class LerpOp
{
    /// <summary>(1 − t)·a + t·b for plain tensors: RPAT's x̃ = x + α(x′ − x).</summary>
    /// <exception cref="ShapeException">The sizes differ.</exception>
    public static Tensor Lerp(this Tape tape, Tensor a, Tensor b, float t)
    {
        ShapeException.Require(Argument.Given(a).Shape == Argument.Given(b).Shape, "Lerp", $"{a} and {b} differ in size");
        ShapeException.Require(a.Layout == Layout.Plain && b.Layout == Layout.Plain, "Lerp", $"{a} and {b} must be plain");
        return tape.Record(new LerpNode(tape, a, b, t)).Output;
    }
}

internal sealed class LerpNode : OpNode
{
    private readonly Edge _a;
    private readonly Edge _b;
    private readonly float _t;

    public LerpNode(Tape tape, Tensor a, Tensor b, float t)
    {
        (_a, _b, _t) = (tape.AddStoredInput(a), tape.AddStoredInput(b), t);
        Connect([_a, _b], tape.NewTensor(a.Shape, Layout.Plain, "lerp"));
    }

    public override string Op => "Lerp";

    public override void Forward(IKernels k) => k.Lerp(Output.Shape.Count, _a.Data, _b.Data, _t, Output.Data);

    public override void Backward(IKernels k)
    {
        if (_a.NeedsGrad) k.Scale(Output.Shape.Count, Output.Grad, 1 - _t, _a.Accumulate, _a.Grad);
        if (_b.NeedsGrad) k.Scale(Output.Shape.Count, Output.Grad, _t, _b.Accumulate, _b.Grad);
    }
}
