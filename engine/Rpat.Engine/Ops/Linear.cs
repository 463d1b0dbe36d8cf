namespace Rpat.Engine.Ops;

/// <summary>Recording of fully connected layers.</summary>
public static class LinearOp
{
    /// <summary>x·weightᵀ [+ bias]: <c>[N, C]</c> → <c>[N, K]</c>; the weight is <c>[K, C]</c>, or that of a 1×1 convolution.</summary>
    /// <exception cref="ShapeException">The sizes do not fit.</exception>
    public static Tensor Linear(this Tape tape, Tensor x, Parameter weight, Parameter? bias = null)
    {
        var d = Argument.Given(weight).Dimensions;
        ShapeException.Require(Argument.Given(x) is { Layout: Layout.Plain, Shape.Area: 1 }, "Linear", $"{x} must be [N, C]");
        bool fits = (weight.Shape.N, weight.Shape.SampleCount) == (d[0], x.Shape.C);
        ShapeException.Require(fits, "Linear", $"{x} does not fit {weight.Name} [{string.Join(", ", d)}]");
        ShapeException.Require(bias is null || bias.Shape.Count == d[0], "Linear",
            $"{bias?.Name} has {bias?.Shape.Count} values, {weight.Name} has {d[0]} rows");
        return tape.Record(new LinearNode(tape, x, weight, bias)).Output;
    }
}

internal sealed class LinearNode : OpNode
{
    private readonly Edge _x;
    private readonly Edge _w;
    private readonly Edge? _bias;
    private readonly int _n, _c, _k;

    public LinearNode(Tape tape, Tensor x, Parameter weight, Parameter? bias)
    {
        (_x, _w, _bias) = (tape.AddStoredInput(x), tape.AddInput(weight), bias is null ? null : tape.AddInput(bias));
        (_n, _c, _k) = (x.Shape.N, x.Shape.C, weight.Dimensions[0]);
        Connect(_bias is null ? [_x, _w] : [_x, _w, _bias], tape.NewTensor(new Shape(_n, _k), Layout.Plain, "logits"));
    }

    public override string Op => "Linear";
    public override double MultiplyAdds => (double)_n * _c * _k;
    public override IEnumerable<Tensor> Saved => _w.NeedsGrad ? _x.Reads : [];

    public override void Forward(IKernels k) => k.LinearForward(_n, _c, _k, _x.Data, _w.Data, _bias?.Data, Output.Data);

    public override void Backward(IKernels k)
    {
        var bias = _bias is { NeedsGrad: true } ? _bias : null;
        var (dy, together) = (Output.Grad, _w.NeedsGrad && _w.Accumulate == bias?.Accumulate); // another op may have written either
        if (_x.NeedsGrad) k.LinearInputGradient(_n, _c, _k, dy, _w.Data, _x.Accumulate, _x.Grad); // first: x may be the weight
        if (_w.NeedsGrad) k.LinearWeightGradient(_n, _c, _k, _x.Stored.Data, dy, _w.Accumulate, _w.Grad, together ? bias!.Grad : null);
        if (bias is not null && !together) k.LinearWeightGradient(_n, _c, _k, _x.Stored.Data, dy, bias.Accumulate, null, bias.Grad);
    }
}
