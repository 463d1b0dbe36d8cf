namespace Rpat.Engine.Ops;

/// <summary>Recording of biases.</summary>
public static class ChannelBiasOp
{
    /// <summary>x + bias: activations <c>[N, C, H, W]</c> and C values, the bias of a convolution.</summary>
    /// <exception cref="ShapeException">The channels do not match, or x is a plain image.</exception>
    public static Tensor ChannelBias(this Tape tape, Tensor x, Parameter bias)
    {
        ShapeException.Require(Argument.Given(bias).Shape.Count == Argument.Given(x).Shape.C, "ChannelBias",
            $"{x} has {x.Shape.C} channels, {bias.Name} has {bias.Shape.Count} values");
        ShapeException.Require(x.Layout == Layout.Blocked, "ChannelBias", $"{x} must be activations: use tape.ToActivations");
        return tape.Record(new ChannelBiasNode(tape, x, bias)).Output;
    }
}

internal sealed class ChannelBiasNode : OpNode
{
    private readonly Edge _x;
    private readonly Edge _bias;

    public ChannelBiasNode(Tape tape, Tensor x, Parameter bias)
    {
        (_x, _bias) = (tape.AddInput(x), tape.AddInput(bias));
        Connect([_x, _bias], tape.NewTensor(x.Shape, Layout.Blocked, $"bias({bias.Name})"));
    }

    public override string Op => "ChannelBias";
    public override Edge? PassThrough => _x;

    public override void Forward(IKernels k) => k.ChannelBias(Output.Shape, _x.Operand, _bias.Data, Output.Data);

    public override void Backward(IKernels k)
    {
        if (_bias.NeedsGrad) k.ChannelBiasGradient(Output.Shape, Output.Grad, _bias.Accumulate, _bias.Grad);
        if (_x is { NeedsGrad: true, SharesOutputGrad: false })
            k.AddGradient(Output.Shape, Layout.Blocked, Output.Grad, null, _x.ThroughOperand, _x.Accumulate, _x.Grad);
    }
}
