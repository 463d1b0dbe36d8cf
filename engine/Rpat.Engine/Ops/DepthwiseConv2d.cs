namespace Rpat.Engine.Ops;

/// <summary>Recording of depthwise convolutions.</summary>
public static class DepthwiseConv2dOp
{
    private const string Op = "DepthwiseConv2d";

    /// <summary>
    /// Convolution of each channel of activations with its own filter <c>[1, R, R]</c>, without bias; the padding must be smaller than R.
    /// </summary>
    /// <exception cref="ShapeException">The sizes do not fit.</exception>
    public static Tensor DepthwiseConv2d(this Tape tape, Tensor x, Parameter weight, int stride = 1, int padding = 0)
    {
        var d = Argument.Given(weight).Dimensions;
        ShapeException.Require(d.Count == 4 && d[1] == 1 && d[2] == d[3], Op,
            $"{weight.Name} must be [C, 1, R, R], is [{string.Join(", ", d)}]");
        ShapeException.Require(Argument.Given(x).Shape.C == d[0], Op, $"{x} has {x.Shape.C} channels, {weight.Name} has {d[0]} filters");
        ShapeException.Require(x.Layout == Layout.Blocked, Op, $"{x} must be activations: use tape.ToActivations");
        ShapeException.Require(stride > 0 && padding >= 0 && padding < d[2], Op,
            $"stride {stride} and padding {padding} do not fit a {d[2]}×{d[2]} kernel");
        ShapeException.Require(Math.Min(x.Shape.H, x.Shape.W) + 2 * padding >= d[2], Op,
            $"{x} is smaller than the {d[2]}×{d[2]} kernel of {weight.Name}");
        return tape.Record(new DepthwiseConv2dNode(tape, new DepthwiseShape(x.Shape, d[2], stride, padding), x, weight)).Output;
    }
}

internal sealed class DepthwiseConv2dNode : OpNode
{
    private readonly Edge _x;
    private readonly Edge _w;

    public DepthwiseConv2dNode(Tape tape, DepthwiseShape shape, Tensor x, Parameter weight)
    {
        Shape = shape;
        (_x, _w) = (tape.AddInput(x), tape.AddInput(weight));
        Connect([_x, _w], tape.NewTensor(shape.Output, Layout.Blocked, $"depthwise({weight.Name})"));
    }

    private DepthwiseShape Shape { get; }
    public override string Op => "DepthwiseConv2d";

    public override IReadOnlyDictionary<string, int> Attributes =>
        new Dictionary<string, int> { ["kernel"] = Shape.R, ["stride"] = Shape.Stride, ["padding"] = Shape.Padding };

    public override double MultiplyAdds => (double)Shape.Output.Count * Shape.R * Shape.R;
    public override IEnumerable<Tensor> Saved => _w.NeedsGrad ? _x.Reads : [];

    public override void Forward(IKernels k) => k.DepthwiseForward(Shape, _x.Operand, _w.Data, Output.Data);

    public override void Backward(IKernels k)
    {
        if (_w.NeedsGrad) k.DepthwiseWeightGradient(Shape, _x.Operand, Output.Grad, _w.Accumulate, _w.Grad);
        if (_x.NeedsGrad) k.DepthwiseInputGradient(Shape, Output.Grad, _w.Data, _x.ThroughOperand, _x.Accumulate, _x.Grad);
    }
}
