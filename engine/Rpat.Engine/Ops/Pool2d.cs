namespace Rpat.Engine.Ops;

/// <summary>Recording of pooling.</summary>
public static class Pool2dOp
{
    /// <summary>Mean of each map: <c>[N, C, H, W]</c> → plain <c>[N, C]</c>.</summary>
    public static Tensor GlobalAveragePool(this Tape tape, Tensor x)
    {
        ShapeException.Require(x.Layout == Layout.Blocked, "GlobalAveragePool", $"{x} must be activations");
        return tape.Record(new GlobalAveragePoolNode(tape, x)).Output;
    }

    /// <summary>Maximum of windows: <c>[N, C, H, W]</c> → <c>[N, C, (H−window)/stride+1, (W−window)/stride+1]</c>.</summary>
    /// <exception cref="ShapeException">The window is larger than the map.</exception>
    public static Tensor MaxPool2d(this Tape tape, Tensor x, int window, int stride)
    {
        ShapeException.Require(x.Layout == Layout.Blocked, "MaxPool2d", $"{x} must be activations");
        ShapeException.Require(window > 0 && stride > 0 && window <= Math.Min(x.Shape.H, x.Shape.W), "MaxPool2d",
            $"window {window} and stride {stride} do not fit {x}");
        return tape.Record(new MaxPool2dNode(tape, x, window, stride)).Output;
    }
}

internal sealed class GlobalAveragePoolNode : Node
{
    private readonly Edge _x;

    public GlobalAveragePoolNode(Tape tape, Tensor x)
    {
        _x = tape.AddInput(x);
        Output = tape.NewTensor(new Shape(x.Shape.N, x.Shape.C), Layout.Plain, "pool");
        (Inputs, Outputs) = ([_x], [Output]);
    }

    public Tensor Output { get; }
    public override string Op => "GlobalAveragePool";
    public override IReadOnlyList<Edge> Inputs { get; }
    public override IReadOnlyList<Tensor> Outputs { get; }

    public override void Forward(IKernels k) => k.GlobalAveragePool(_x.Tensor.Shape, _x.Operand, Output.Data);

    public override void Backward(IKernels k) =>
        k.GlobalAveragePoolGradient(_x.Tensor.Shape, Output.Grad, _x.ThroughOperand, _x.Accumulate, _x.Grad);
}

internal sealed class MaxPool2dNode : Node
{
    private readonly Edge _x;
    private readonly int _window;
    private readonly int _stride;

    public MaxPool2dNode(Tape tape, Tensor x, int window, int stride)
    {
        (_x, _window, _stride) = (tape.AddInput(x), window, stride);
        var s = x.Shape;
        Output = tape.NewTensor(s with { H = (s.H - window) / stride + 1, W = (s.W - window) / stride + 1 }, Layout.Blocked, "maxpool");
        (Inputs, Outputs) = ([_x], [Output]);
    }

    public Tensor Output { get; }
    public override string Op => "MaxPool2d";

    public override IReadOnlyDictionary<string, int> Attributes =>
        new Dictionary<string, int> { ["window"] = _window, ["stride"] = _stride };

    public override IReadOnlyList<Edge> Inputs { get; }
    public override IReadOnlyList<Tensor> Outputs { get; }
    public override IEnumerable<Tensor> Saved => _x.Reads;

    public override void Forward(IKernels k) => k.MaxPool(_x.Tensor.Shape, _window, _stride, _x.Operand, Output.Data);

    public override void Backward(IKernels k) =>
        k.MaxPoolGradient(_x.Tensor.Shape, _window, _stride, _x.Operand, Output.Grad, _x.ThroughOperand, _x.Accumulate, _x.Grad);
}
