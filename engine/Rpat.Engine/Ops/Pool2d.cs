namespace Rpat.Engine.Ops;

/// <summary>Recording of pooling.</summary>
public static class Pool2dOp
{
    /// <summary>Mean of each map: <c>[N, C, H, W]</c> → plain <c>[N, C]</c>.</summary>
    public static Tensor GlobalAveragePool(this Tape tape, Tensor x)
    {
        ShapeException.Require(Argument.Given(x).Layout == Layout.Blocked, "GlobalAveragePool",
            $"{x} must be activations: use tape.ToActivations");
        return tape.Record(new GlobalAveragePoolNode(tape, x)).Output;
    }

    /// <summary>Maximum of windows: <c>[N, C, H, W]</c> → <c>[N, C, (H+2·padding−window)/stride+1, …]</c>; padding never wins.</summary>
    /// <exception cref="ShapeException">The window is larger than the map, or the padding than half a window.</exception>
    public static Tensor MaxPool2d(this Tape tape, Tensor x, int window, int stride, int padding = 0)
    {
        ShapeException.Require(Argument.Given(x).Layout == Layout.Blocked, "MaxPool2d", $"{x} must be activations: use tape.ToActivations");
        ShapeException.Require(window > 0 && stride > 0 && window <= Math.Min(x.Shape.H, x.Shape.W) + 2 * padding, "MaxPool2d",
            $"window {window} and stride {stride} do not fit {x}");
        ShapeException.Require(padding >= 0 && padding <= window / 2, "MaxPool2d", $"padding {padding} is over half of window {window}");
        return tape.Record(new MaxPool2dNode(tape, x, new PoolShape(x.Shape, window, stride, padding))).Output;
    }
}

internal sealed class GlobalAveragePoolNode : OpNode
{
    private readonly Edge _x;

    public GlobalAveragePoolNode(Tape tape, Tensor x)
    {
        _x = tape.AddInput(x);
        Connect([_x], tape.NewTensor(new Shape(x.Shape.N, x.Shape.C), Layout.Plain, "pool"));
    }

    public override string Op => "GlobalAveragePool";

    public override void Forward(IKernels k) => k.GlobalAveragePool(_x.Tensor.Shape, _x.Operand, Output.Data);

    public override void Backward(IKernels k) =>
        k.GlobalAveragePoolGradient(_x.Tensor.Shape, Output.Grad, _x.ThroughOperand, _x.Accumulate, _x.Grad);
}

internal sealed class MaxPool2dNode : OpNode
{
    private readonly Edge _x;
    private readonly PoolShape _shape;

    public MaxPool2dNode(Tape tape, Tensor x, PoolShape shape)
    {
        (_x, _shape) = (tape.AddInput(x), shape);
        Connect([_x], tape.NewTensor(shape.Output, Layout.Blocked, "maxpool"));
    }

    public override string Op => "MaxPool2d";

    public override IReadOnlyDictionary<string, int> Attributes =>
        new Dictionary<string, int> { ["window"] = _shape.Window, ["stride"] = _shape.Stride, ["padding"] = _shape.Padding };

    public override IEnumerable<Tensor> Saved => _x.Reads;

    public override void Forward(IKernels k) => k.MaxPool(_shape, _x.Operand, Output.Data);

    public override void Backward(IKernels k) =>
        k.MaxPoolGradient(_shape, _x.Operand, Output.Grad, _x.ThroughOperand, _x.Accumulate, _x.Grad);
}
