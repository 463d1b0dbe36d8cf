using Rpat.Tests.Reference;

namespace Rpat.Tests.Ops;

/// <summary>The ops: what is recorded on a tape, beside its reference and its reference's gradient.</summary>
internal sealed partial class OpGraph
{
    public ReferencePair Conv2d(ReferencePair x, ReferencePair w, int stride = 1, int padding = 0, ReferencePair? residual = null)
    {
        Window window = new(stride, padding);
        Array4 y = ReferenceConv2d.Forward(x.Value, w.Value, null, window);
        return Record(
            (i, tape) => tape.Conv2d(x.Tensors[i], (Parameter)w.Tensors[i], stride, padding, residual?.Tensors[i]),
            residual is null ? y : ReferenceElementwise.Add(y, residual.Value),
            dy =>
            {
                x.Accumulate(ReferenceConv2d.InputGradient(x.Value, w.Value, dy, window));
                w.Accumulate(ReferenceConv2d.WeightGradient(x.Value, w.Value, dy, window));
                residual?.Accumulate(dy);
            });
    }

    public ReferencePair DepthwiseConv2d(ReferencePair x, ReferencePair w, int stride = 1, int padding = 0)
    {
        Window window = new(stride, padding, x.Value.C);
        return Record(
            (i, tape) => tape.DepthwiseConv2d(x.Tensors[i], (Parameter)w.Tensors[i], stride, padding),
            ReferenceConv2d.Forward(x.Value, w.Value, null, window),
            dy =>
            {
                x.Accumulate(ReferenceConv2d.InputGradient(x.Value, w.Value, dy, window));
                w.Accumulate(ReferenceConv2d.WeightGradient(x.Value, w.Value, dy, window));
            });
    }

    public ReferencePair ChannelBias(ReferencePair x, ReferencePair bias) => Record(
        (i, tape) => tape.ChannelBias(x.Tensors[i], (Parameter)bias.Tensors[i]),
        ReferenceElementwise.AddChannels(x.Value, bias.Value.Data),
        dy =>
        {
            x.Accumulate(dy);
            bias.Accumulate(Row(ReferenceConv2d.BiasGradient(dy)));
        });

    /// <summary>Both in one batch and apart again, interpolated so that each gets a gradient of its own.</summary>
    public ReferencePair StackedLerp(ReferencePair a, ReferencePair b, float t) => Record(
        (i, tape) =>
        {
            var (first, second) = tape.Halves(tape.Stack(a.Tensors[i], b.Tensors[i]));
            return tape.Lerp(first, second, t);
        },
        ReferenceElementwise.Lerp(a.Value, b.Value, t),
        dy =>
        {
            a.Accumulate(dy.Map(g => (1 - (double)t) * g));
            b.Accumulate(dy.Map(g => t * g));
        });

    public ReferencePair ToActivations(ReferencePair x) => Record((i, tape) => tape.ToActivations(x.Tensors[i]), x.Value, x.Accumulate);

    public ReferencePair BatchNorm2d(ReferencePair x, TwinNorm norm, BnMode mode, bool relu = false)
    {
        NormValues v = norm.Values;
        ChannelStatistics running = new(v.Mean, v.Variance), used = mode == BnMode.Eval
            ? new ChannelStatistics([.. v.Mean], [.. v.Variance])
            : ReferenceBatchNorm2d.Statistics(x.Value);
        if (mode == BnMode.Train) ReferenceBatchNorm2d.UpdateRunning(running, x.Value);
        Array4 h = ReferenceBatchNorm2d.Forward(x.Value, v.Gamma, v.Beta, used);
        return Record(
            (i, tape) => tape.BatchNorm2d(x.Tensors[i], norm.Layers[i], mode, relu),
            relu ? ReferenceElementwise.Relu(h) : h,
            dy =>
            {
                Array4 dh = relu ? ReferenceElementwise.ReluBackward(h, dy) : dy;
                BatchNormGradient g = mode == BnMode.Eval
                    ? ReferenceBatchNorm2d.BackwardEval(x.Value, v.Gamma, used, dh)
                    : ReferenceBatchNorm2d.BackwardTrain(x.Value, v.Gamma, dh);
                x.Accumulate(g.X);
                norm.Gamma.Accumulate(Row(g.Gamma));
                norm.Beta.Accumulate(Row(g.Beta));
            });
    }

    public ReferencePair Add(ReferencePair a, ReferencePair b, bool relu = false)
    {
        Array4 sum = ReferenceElementwise.Add(a.Value, b.Value);
        return Record(
            (i, tape) => tape.Add(a.Tensors[i], b.Tensors[i], relu),
            relu ? ReferenceElementwise.Relu(sum) : sum,
            dy =>
            {
                Array4 dsum = relu ? ReferenceElementwise.ReluBackward(sum, dy) : dy;
                a.Accumulate(dsum);
                b.Accumulate(dsum);
            });
    }

    public ReferencePair Relu(ReferencePair x) => Record(
        (i, tape) => tape.Relu(x.Tensors[i]),
        ReferenceElementwise.Relu(x.Value),
        dy => x.Accumulate(ReferenceElementwise.ReluBackward(x.Value, dy)));

    /// <summary>f(x), its derivative by central differences of the reference.</summary>
    public ReferencePair Elementwise<TOp>(ReferencePair x, TOp op, Func<double, double> reference) where TOp : struct, IElementwise =>
        Record(
        (i, tape) => tape.Elementwise(op, x.Tensors[i]),
        x.Value.Map(reference),
        dy => x.Accumulate(x.Value.Zip(dy, (v, g) => g * (reference(v + 1e-5) - reference(v - 1e-5)) / 2e-5)));

    public ReferencePair MaxPool2d(ReferencePair x, int window, int stride) => Record(
        (i, tape) => tape.MaxPool2d(x.Tensors[i], window, stride),
        ReferencePooling.Max(x.Value, window, new Window(stride)),
        dy => x.Accumulate(ReferencePooling.MaxBackward(x.Value, dy, window, new Window(stride))));

    public ReferencePair GlobalAveragePool(ReferencePair x) => Record(
        (i, tape) => tape.GlobalAveragePool(x.Tensors[i]),
        ReferencePooling.GlobalAverage(x.Value),
        dy => x.Accumulate(ReferencePooling.GlobalAverageBackward(x.Value, dy)));

    public (ReferencePair Weight, ReferencePair Bias) Matrix(Array4 w, double[] bias)
    {
        var layers = Array.ConvertAll(_lanes, lane => lane.Matrix(w, bias));
        return (Leaf("weight", w, Gradients.Parameters, lane => layers[Index(lane)].Weight),
            Leaf("bias", Row(bias), Gradients.Parameters, lane => layers[Index(lane)].Bias));
    }

    public ReferencePair Linear(ReferencePair x, Array4 w, double[] bias)
    {
        var (weight, row) = Matrix(w, bias);
        return Linear(x, weight, row);
    }

    public ReferencePair Linear(ReferencePair x, ReferencePair w, ReferencePair bias) => Record(
        (i, tape) => tape.Linear(x.Tensors[i], (Parameter)w.Tensors[i], (Parameter)bias.Tensors[i]),
        ReferenceLinear.Forward(x.Value, w.Value, bias.Value.Data),
        dy =>
        {
            LinearGradient g = ReferenceLinear.Backward(x.Value, w.Value, dy);
            x.Accumulate(g.X);
            w.Accumulate(g.W);
            bias.Accumulate(Row(g.Bias));
        });

    public ReferencePair Lerp(ReferencePair a, ReferencePair b, float t) => Record(
        (i, tape) => tape.Lerp(a.Tensors[i], b.Tensors[i], t),
        ReferenceElementwise.Lerp(a.Value, b.Value, t),
        dy =>
        {
            a.Accumulate(dy.Map(g => (1 - (double)t) * g));
            b.Accumulate(dy.Map(g => t * g));
        });

    public ReferencePair Normalize(ReferencePair x, float[] mean, float[] deviation)
    {
        double[] m = Array.ConvertAll(mean, v => (double)v), d = Array.ConvertAll(deviation, v => (double)v);
        return Record(
            (i, tape) => tape.Normalize(x.Tensors[i], new Normalize(tape.Device, mean, deviation)),
            ReferenceElementwise.Normalise(x.Value, m, d),
            dy => x.Accumulate(ReferenceElementwise.NormaliseBackward(dy, d)));
    }
}
