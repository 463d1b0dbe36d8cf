namespace Rpat.Engine.Ops;

/// <summary>Recording of 2-D convolutions.</summary>
public static class Conv2dOp
{
    /// <summary>Convolution of <c>[N, C, H, W]</c> with filters <c>[K, C, R, R]</c>, without bias, plus an optional residual.</summary>
    /// <param name="weight">A parameter, or plain filters that the tape computes.</param>
    /// <param name="trailing">Further rows and columns of zeros behind the map alone.</param>
    /// <exception cref="ShapeException">The sizes do not fit, or the residual is a plain image.</exception>
    public static Tensor Conv2d(this Tape tape, Tensor x, Tensor weight, int stride = 1, int padding = 0, Tensor? residual = null,
        int trailing = 0)
    {
        IReadOnlyList<int> d = (Argument.Given(weight) as Parameter)?.Dimensions
            ?? [weight.Shape.N, weight.Shape.C, weight.Shape.H, weight.Shape.W];
        ShapeException.Require(d.Count == 4 && d[2] == d[3] && weight.Layout == Layout.Plain, "Conv2d",
            $"{weight.Name} must be plain [K, C, R, R], is [{string.Join(", ", d)}]");
        ShapeException.Require(Argument.Given(x).Shape.C == d[1], "Conv2d", $"{x} has {x.Shape.C} channels, {weight.Name} takes {d[1]}");
        ShapeException.Require(stride > 0 && padding >= 0 && trailing >= 0, "Conv2d",
            $"stride {stride} must be positive, and padding {padding} and {trailing} not negative");
        ShapeException.Require(Math.Min(x.Shape.H, x.Shape.W) + 2 * padding + trailing >= d[2], "Conv2d",
            $"{x} is smaller than the {d[2]}×{d[2]} kernel of {weight.Name}");
        var s = new ConvShape(x.Shape, (x.View?.Source ?? x).Layout, d[0], d[2], stride, padding) { Trailing = trailing };
        ShapeException.Require(residual is null || residual.Shape == s.Output, "Conv2d",
            $"residual {residual} does not fit the output {s.Output}");
        ShapeException.Require(residual is null || residual.Layout == Layout.Blocked, "Conv2d", $"residual {residual} must be activations");
        return tape.Record(new Conv2dNode(tape, s, x, weight, residual)).Output;
    }
}

internal sealed class Conv2dNode : OpNode
{
    private readonly ConvShape _shape;
    private readonly Edge _x;
    private readonly Edge _w;
    private readonly Edge? _residual;
    private readonly PackedWeight? _forwardFilters;
    private readonly PackedWeight? _gradientFilters;

    public Conv2dNode(Tape tape, ConvShape shape, Tensor x, Tensor weight, Tensor? residual)
    {
        _shape = shape;
        (_x, _w) = (tape.AddInput(x), tape.AddStoredInput(weight));
        _residual = residual is null ? null : tape.AddStoredInput(residual);
        var output = tape.NewTensor(shape.Output, Layout.Blocked, $"conv({weight.Name})");
        Connect(_residual is null ? [_x, _w] : [_x, _w, _residual], output);
        _forwardFilters = Filters(tape, inputGradient: false);
        if (_x.NeedsGrad) _gradientFilters = Filters(tape, inputGradient: true);
    }

    public override string Op => "Conv2d";
    public override double MultiplyAdds => _shape.Flops / 2;

    public override IReadOnlyDictionary<string, int> Attributes => new Dictionary<string, int>
    {
        ["kernel"] = _shape.R,
        ["stride"] = _shape.Stride,
        ["padding"] = _shape.Padding,
        ["trailing"] = _shape.Trailing,
    };

    /// <summary>Kernel size, stride if not 1, algorithm, and for plain images a mark as the first layer: <c>3x3/2 direct</c>.</summary>
    public override string Detail
    {
        get
        {
            string first = _shape.InputLayout == Layout.Plain ? "first " : "", step = _shape.Stride == 1 ? "" : $"/{_shape.Stride}";
            return $"{first}{_shape.R}x{_shape.R}{step} {_x.Tensor.Device.Kernels.Conv2dAlgorithm(_shape)}";
        }
    }

    public override IEnumerable<Tensor> Saved => [.. _w.NeedsGrad ? _x.Reads : [], _w.Stored];
    public override Edge? PassThrough => _residual;

    public override IEnumerable<PackedWeight> ForwardWeights => _forwardFilters is null ? [] : [_forwardFilters];
    public override IEnumerable<PackedWeight> BackwardWeights => _gradientFilters is null ? [] : [_gradientFilters];

    public override void Forward(IKernels k) =>
        k.Conv2dForward(_shape, _x.Operand, _forwardFilters?.Get(k) ?? _w.Data, _residual?.Data, Output.Data);

    public override void Backward(IKernels k)
    {
        if (_x.NeedsGrad) InputGradient(k); // first: x may be the weight
        if (_w.NeedsGrad) k.Conv2dWeightGradient(_shape, _x.Operand, Output.Grad, _w.Accumulate, _w.Grad);
        if (_residual is { NeedsGrad: true, SharesOutputGrad: false })
            k.AddGradient(_shape.Output, Layout.Blocked, Output.Grad, null, default, _residual.Accumulate, _residual.Grad);
    }

    private void InputGradient(IKernels k) =>
        k.Conv2dInputGradient(_shape, Output.Grad, _gradientFilters?.Get(k) ?? _w.Data, _x.ThroughOperand, _x.Accumulate, _x.Grad);

    private PackedWeight? Filters(Tape tape, bool inputGradient)
    {
        var shape = _shape with { Input = _shape.Input.WithBatch(1) };
        long length = tape.Device.Kernels.Conv2dFilterLength(shape, inputGradient);
        if (length == 0) return null;
        var weight = _w.Stored;
        return tape.Derive(weight, (shape, inputGradient), length,
            (k, to) => k.Conv2dArrangeFilters(shape, inputGradient, weight.Data, to));
    }
}
