namespace Rpat.Engine;

/// <summary>Sizes of a depthwise convolution: x <c>[N, C, H, W]</c>, w <c>[C, 1, R, R]</c>, y <c>[N, C, P, Q]</c>.</summary>
/// <param name="Input">Size of x.</param>
/// <param name="R">Kernel size.</param>
/// <param name="Stride">Step in both directions.</param>
/// <param name="Padding">Zero border on each side, less than R.</param>
public readonly record struct DepthwiseShape(Shape Input, int R, int Stride, int Padding)
{
    /// <summary>Output rows.</summary>
    public int P => (Input.H + 2 * Padding - R) / Stride + 1;

    /// <summary>Output columns.</summary>
    public int Q => (Input.W + 2 * Padding - R) / Stride + 1;

    /// <summary>Size of y.</summary>
    public Shape Output => Input with { H = P, W = Q };
}

/// <summary>Depthwise convolution kernels of a backend; x, y and their gradients are activations.</summary>
public interface IDepthwiseConv2dKernels
{
    /// <summary>y[c] = x[c] ⋆ w[c], the view of x applied and zero padding zero after it.</summary>
    void DepthwiseForward(in DepthwiseShape s, in Operand x, DeviceBuffer w, DeviceBuffer y);

    /// <summary>dx[c] (+)= d·(dy[c] ⋆ᵀ w[c]), with d the derivative of the view <paramref name="through"/> (1 when it is no view).</summary>
    void DepthwiseInputGradient(in DepthwiseShape s, DeviceBuffer dy, DeviceBuffer w, in Operand through, bool accumulate, DeviceBuffer dx);

    /// <summary>dw[c] (+)= Σ over samples and pixels of x[c] and dy[c], in the order of w.</summary>
    void DepthwiseWeightGradient(in DepthwiseShape s, in Operand x, DeviceBuffer dy, bool accumulate, DeviceBuffer dw);
}

/// <summary>Recording of depthwise convolutions.</summary>
public static class DepthwiseConv2dOp
{
    private const string Op = "DepthwiseConv2d";

    /// <summary>Convolution of each channel with a filter of its own, without bias.</summary>
    /// <param name="tape">Where it is recorded.</param>
    /// <param name="x">Activations <c>[N, C, H, W]</c>.</param>
    /// <param name="weight">Filters <c>[C, 1, R, R]</c>.</param>
    /// <param name="stride">Step.</param>
    /// <param name="padding">Zero border, less than R.</param>
    /// <exception cref="ShapeException">The sizes do not fit.</exception>
    public static Tensor DepthwiseConv2d(this Tape tape, Tensor x, Nn.Parameter weight, int stride = 1, int padding = 0)
    {
        var d = weight.Dimensions;
        ShapeException.Require(d.Count == 4 && d[1] == 1 && d[2] == d[3], Op, $"{weight.Name} must be [C, 1, R, R], is [{string.Join(", ", d)}]");
        ShapeException.Require(x.Shape.C == d[0], Op, $"{x} has {x.Shape.C} channels, {weight.Name} has {d[0]} filters");
        ShapeException.Require((x.View?.Source ?? x).Layout == Layout.Blocked, Op, $"{x} must be activations");
        ShapeException.Require(stride > 0 && padding >= 0 && padding < d[2], Op, $"stride {stride} and padding {padding} do not fit a {d[2]}×{d[2]} kernel");
        ShapeException.Require(Math.Min(x.Shape.H, x.Shape.W) + 2 * padding >= d[2], Op, $"{x} is smaller than the {d[2]}×{d[2]} kernel of {weight.Name}");
        return tape.Record(new DepthwiseConv2dNode(tape, new DepthwiseShape(x.Shape, d[2], stride, padding), x, weight)).Output;
    }
}

internal sealed class DepthwiseConv2dNode : Node
{
    private readonly Edge _x;
    private readonly Edge _w;

    public DepthwiseConv2dNode(Tape tape, DepthwiseShape shape, Tensor x, Nn.Parameter weight)
    {
        Shape = shape;
        (_x, _w) = (tape.Wire(x), tape.Wire(weight));
        Output = tape.Make(shape.Output, Layout.Blocked, $"depthwise({weight.Name})");
        (Inputs, Outputs) = ([_x, _w], [Output]);
    }

    public Tensor Output { get; }
    private DepthwiseShape Shape { get; }
    public override string Op => "DepthwiseConv2d";

    public override IReadOnlyDictionary<string, int> Attributes => 
        new Dictionary<string, int> { ["kernel"] = Shape.R, ["stride"] = Shape.Stride, ["padding"] = Shape.Padding };

    public override double MultiplyAdds => (double)Shape.Output.Count * Shape.R * Shape.R;
    public override IReadOnlyList<Edge> Inputs { get; }
    public override IReadOnlyList<Tensor> Outputs { get; }
    public override IEnumerable<Tensor> Saved => _w.NeedsGrad ? _x.Reads : [];

    public override void Forward(IKernels k) => k.DepthwiseForward(Shape, _x.Operand, _w.Data, Output.Data);

    public override void Backward(IKernels k)
    {
        if (_w.NeedsGrad) k.DepthwiseWeightGradient(Shape, _x.Operand, Output.Grad, _w.Accumulate, _w.Grad);
        if (_x.NeedsGrad) k.DepthwiseInputGradient(Shape, Output.Grad, _w.Data, _x.ThroughOperand, _x.Accumulate, _x.Grad);
    }
}
