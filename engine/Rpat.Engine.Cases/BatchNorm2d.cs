namespace Rpat.Engine.Cases;

/// <summary>A batch whose values lie around an offset: with a large one, sums of squares around zero would lose the variance.</summary>
public readonly record struct NormSize(Shape Input, double Offset = 0);

/// <summary>Batch norms of training and of evaluation.</summary>
public sealed class BatchNorm2dCases : OpCases<NormSize>
{
    /// <inheritdoc/>
    public override string Category => "norm";

    /// <inheritdoc/>
    protected override IEnumerable<NormSize> RaggedSizes =>
        [new(new(2, 3, 5, 7)), new(new(5, 70, 6, 6)), new(new(9, 5, 8, 8), 300), new(new(3, 1, 1, 2))];

    /// <inheritdoc/>
    protected override IEnumerable<NormSize> WiderSizes =>
        [new(new(2, 17, 5, 7)), new(new(5, 3, 4, 4)), new(new(1, 16, 7, 7)), new(new(4, 33)), new(new(3, 1, 9, 4)),
        new(new(2, 17, 5, 7), 0.5)];

    /// <inheritdoc/>
    protected override IEnumerable<NormSize> LayerSizes(int batch) => [new(ActivationSizes.Layer(batch))];

    /// <inheritdoc/>
    protected override IEnumerable<KernelCase> At(TestTensors make, NormSize size, bool every)
    {
        var norm = new NormReference(make, size);
        yield return norm.Train(moveRunning: false);
        yield return norm.Eval();
        yield return norm.Backward("batch norm gradient", batch: true, relu: true, parameters: false, add: false);
        yield return norm.PartGradient(relu: true, add: false);
        if (!every) yield break;
        yield return norm.PartGradient(relu: false, add: true);
        foreach (bool batch in new[] { true, false })
            foreach (bool relu in new[] { true, false })
                yield return norm.Backward("batch norm gradients", batch, relu, parameters: true, add: relu);
        yield return norm.Train(moveRunning: true, epsilon: 0.01f, momentum: 0.3f);
    }
}

/// <summary>What the batch-norm kernels must compute.</summary>
internal sealed class NormReference
{
    private readonly TestTensors _make;
    private readonly Shape _s;
    private readonly TestTensor _x, _dh, _gamma, _beta, _mean, _variance;
    private readonly Lazy<ChannelStatistics> _statistics;
    private readonly Tolerance _tolerance;

    public NormReference(TestTensors make, NormSize size)
    {
        (_make, _s) = (make, size.Input);
        double spread = make.Device.RoundsActivations ? Math.Max(1, size.Offset / 16) : 1; // rounded, values must not become one
        (_x, _dh) = (make.Blocked(_s, size.Offset - spread, size.Offset + spread), make.Blocked(_s));
        (_gamma, _beta, _mean, _variance) = (make.Row(_s.C, 0.5, 1.5), make.Row(_s.C), make.Row(_s.C), make.Row(_s.C, 0.5, 1.5));
        _statistics = new(() => ReferenceBatchNorm2d.Statistics(_x.Values));
        // Far from zero, a mean in float is off by a larger part of the deviation.
        _tolerance = size.Offset > 1 ? new(1e-4, 1e-9) : new(1e-5, 1e-11);
    }

    private ChannelStatistics Running => new([.. _mean.Values.Data], [.. _variance.Values.Data]);

    /// <summary>Statistics, the affine map they give, and running statistics.</summary>
    public KernelCase Train(bool moveRunning, float epsilon = 1e-5f, float momentum = 0.1f)
    {
        var state = State with { Epsilon = epsilon, Momentum = momentum };
        TestTensor[] kept = Kept();
        var running = new Lazy<ChannelStatistics>(() =>
        {
            var moved = Running;
            if (moveRunning) ReferenceBatchNorm2d.UpdateRunning(moved, _x.Values, momentum);
            return moved;
        });
        return new("batch norm statistics", k => k.BatchNormTrain(_s, _x, state, moveRunning, Saved(kept)),
            [.. Vectors(kept, () => _statistics.Value, epsilon), new(_mean, () => Row(running.Value.Mean)),
                new(_variance, () => Row(running.Value.Variance))])
        {
            Covers = ["BatchNormTrain"],
            Bytes = _x.Bytes,
        };
    }

    /// <summary>The affine map of the running statistics.</summary>
    public KernelCase Eval()
    {
        TestTensor[] kept = Kept();
        return new("batch norm of evaluation", k => k.BatchNormEval(_s.C, State, Saved(kept)), [.. Vectors(kept, () => Running)])
        {
            Covers = ["BatchNormEval"],
            Bytes = 6 * _gamma.Bytes,
        };
    }

    /// <summary>Gradients for batch statistics or for running ones.</summary>
    public KernelCase Backward(string name, bool batch, bool relu, bool parameters, bool add)
    {
        Func<ChannelStatistics> statistics = batch ? () => ReferenceBatchNorm2d.Statistics(_x.Values) : () => Running;
        TestTensor dx = _make.Blocked(_s), dGamma = _make.Row(_s.C), dBeta = _make.Row(_s.C);
        var saved = Saved([.. Map(statistics()).Select(_make.Channels)]);
        Array4 H() => ReferenceBatchNorm2d.Forward(_x.Values, _gamma.Values.Data, _beta.Values.Data, statistics());
        Array4 G() => relu ? ReferenceElementwise.ReluBackward(H(), _dh.Values) : _dh.Values;
        double Loss() => (relu ? ReferenceElementwise.Relu(H()) : H()).Dot(_dh.Values);
        var gradient = new Lazy<BatchNormGradient>(() => batch
            ? ReferenceBatchNorm2d.BackwardTrain(_x.Values, _gamma.Values.Data, G())
            : ReferenceBatchNorm2d.BackwardEval(_x.Values, _gamma.Values.Data, statistics(), G()));
        CaseResult[] results =
        [
            CaseResult.GradientBy(dx, add, () => gradient.Value.X, _x, Loss),
            CaseResult.GradientBy(dGamma, add, () => Row(gradient.Value.Gamma), _gamma, Loss),
            CaseResult.GradientBy(dBeta, add, () => Row(gradient.Value.Beta), _beta, Loss),
        ];
        var to = new BatchNormGradients(parameters ? dGamma.Buffer : null, parameters ? dBeta.Buffer : null, add, dx, add);
        return new(name, k => k.BatchNormBackward(_s, _x, _dh, saved, relu, batch, to), parameters ? results : results[..1])
        {
            Covers = ["BatchNormBackward"],
            Bytes = 2 * (_x.Bytes + _dh.Bytes) + dx.Bytes,
            Tolerance = _tolerance,
        };
    }

    /// <summary>scale·g + slope·x + offset.</summary>
    public KernelCase PartGradient(bool relu, bool add)
    {
        TestTensor dx = _make.Blocked(_s), slope = _make.Row(_s.C), offset = _make.Row(_s.C);
        TestTensor[] kept = Kept();
        var lines = _make.Lines(slope, offset);
        Array4 G() => relu ? _dh.Values.Zip(new Seen(_x, kept[2], kept[3]).Values, (g, h) => h > 0 ? g : 0) : _dh.Values;
        return new("batch norm gradient of a part", k => k.BatchNormInputGradient(_s, _x, _dh, Saved(kept), relu, lines, add, dx),
            CaseResult.Sum(
            dx, add, () => G().MapChannels((c, g) => kept[2].Values.Data[c] * g + offset.Values.Data[c])
                .Zip(_x.Values.MapChannels((c, v) => slope.Values.Data[c] * v), (a, b) => a + b)))
        {
            Covers = ["BatchNormInputGradient"],
            Bytes = _x.Bytes + _dh.Bytes + dx.Bytes,
            Tolerance = _tolerance,
        };
    }

    private BatchNormState State => new(_gamma, _beta, _mean, _variance);

    private TestTensor[] Kept() => [.. Enumerable.Range(0, 4).Select(_ => _make.Channels(_s.C, 0.5, 1.5))];

    private static BatchNormSaved Saved(TestTensor[] kept) => new(kept[0], kept[1], kept[2], kept[3]);

    private CaseResult[] Vectors(TestTensor[] kept, Func<ChannelStatistics> statistics, double epsilon = ReferenceBatchNorm2d.Epsilon) =>
        [.. kept.Select((given, i) => new CaseResult(given, () => Row(Map(statistics(), epsilon)[i])))];

    /// <summary>Mean, 1/σ, scale and shift.</summary>
    private double[][] Map(ChannelStatistics s, double epsilon = ReferenceBatchNorm2d.Epsilon)
    {
        double[] gamma = _gamma.Values.Data, beta = _beta.Values.Data;
        double[] inverse = [.. s.Variance.Select(v => 1 / Math.Sqrt(v + epsilon))];
        double[] scale = [.. gamma.Zip(inverse, (g, i) => g * i)];
        return [s.Mean, inverse, scale, [.. scale.Select((v, c) => beta[c] - v * s.Mean[c])]];
    }

    private static Array4 Row(double[] values) => Array4.From(1, values.Length, 1, 1, values);
}

/// <summary>Per-channel statistics of a batch: the mean, and the biased variance (divided by N·H·W).</summary>
internal sealed record ChannelStatistics(double[] Mean, double[] Variance);

/// <summary>Gradients of a batch normalisation: x is (N, C, H, W), gamma and beta have C values.</summary>
internal sealed record BatchNormGradient(Array4 X, double[] Gamma, double[] Beta);

/// <summary>Batch normalisation (methods.md 0.3): ε 1e-5 on the biased variance, running statistics with momentum 0.1.</summary>
internal static class ReferenceBatchNorm2d
{
    public const double Epsilon = 1e-5;

    public const double Momentum = 0.1;

    /// <summary>Mean and biased variance of every channel over samples and pixels, in two passes.</summary>
    public static ChannelStatistics Statistics(Array4 x)
    {
        double[] mean = ChannelSums(x, (_, value) => value / Count(x));
        double[] variance = ChannelSums(x, (c, value) => (value - mean[c]) * (value - mean[c]) / Count(x));
        return new ChannelStatistics(mean, variance);
    }

    /// <summary>γ·(x − mean)/√(variance + ε) + β: train mode with the batch's statistics, eval mode with the running ones.</summary>
    public static Array4 Forward(Array4 x, double[] gamma, double[] beta, ChannelStatistics statistics) =>
        MapChannels(x, (c, value) => gamma[c] * (value - statistics.Mean[c]) * InverseDeviation(statistics, c) + beta[c]);

    public static Array4 ForwardTrain(Array4 x, double[] gamma, double[] beta) => Forward(x, gamma, beta, Statistics(x));

    /// <summary>Moves the running statistics in place; the variance stored is the unbiased one, so N·H·W must exceed 1.</summary>
    public static void UpdateRunning(ChannelStatistics running, Array4 x, double momentum = Momentum)
    {
        int count = Count(x);
        if (count < 2) throw new ArgumentException($"The unbiased variance of a batch of shape {x} is undefined.");
        ChannelStatistics batch = Statistics(x);
        for (int c = 0; c < x.C; c++)
        {
            running.Mean[c] = (1 - momentum) * running.Mean[c] + momentum * batch.Mean[c];
            running.Variance[c] = (1 - momentum) * running.Variance[c] + momentum * batch.Variance[c] * count / (count - 1);
        }
    }

    /// <summary>
    /// Train mode, where the statistics depend on x. With x̂ the normalised input and m = N·H·W,
    /// ∂L/∂x = γ/σ · (dy − Σdy/m − x̂·Σ(dy·x̂)/m), sums over the channel.
    /// </summary>
    public static BatchNormGradient BackwardTrain(Array4 x, double[] gamma, Array4 dy)
    {
        ChannelStatistics statistics = Statistics(x);
        BatchNormGradient direct = BackwardEval(x, gamma, statistics, dy);
        Array4 normalised = Normalised(x, statistics);
        int count = Count(x);
        Array4 correction = MapChannels(normalised, (c, value) =>
            gamma[c] * InverseDeviation(statistics, c) * (direct.Beta[c] + value * direct.Gamma[c]) / count);
        return direct with { X = direct.X.Zip(correction, (a, b) => a - b) };
    }

    /// <summary>Eval mode, where the statistics are constants: ∂L/∂x = γ/σ · dy, ∂L/∂γ = Σ dy·x̂, ∂L/∂β = Σ dy.</summary>
    public static BatchNormGradient BackwardEval(Array4 x, double[] gamma, ChannelStatistics statistics, Array4 dy)
    {
        Array4 dx = MapChannels(dy, (c, value) => value * gamma[c] * InverseDeviation(statistics, c));
        double[] dgamma = ChannelSums(dy.Zip(Normalised(x, statistics), (a, b) => a * b), (_, value) => value);
        return new BatchNormGradient(dx, dgamma, ChannelSums(dy, (_, value) => value));
    }

    private static int Count(Array4 x) => x.N * x.H * x.W;

    private static double InverseDeviation(ChannelStatistics statistics, int c) => 1 / Math.Sqrt(statistics.Variance[c] + Epsilon);

    private static Array4 Normalised(Array4 x, ChannelStatistics statistics) =>
        MapChannels(x, (c, value) => (value - statistics.Mean[c]) * InverseDeviation(statistics, c));

    private static Array4 MapChannels(Array4 x, Func<int, double, double> f)
    {
        Array4 y = x.Like();
        for (int i = 0; i < x.Length; i++) y.Data[i] = f(Channel(x, i), x.Data[i]);
        return y;
    }

    private static double[] ChannelSums(Array4 x, Func<int, double, double> f)
    {
        double[] sums = new double[x.C];
        for (int i = 0; i < x.Length; i++) sums[Channel(x, i)] += f(Channel(x, i), x.Data[i]);
        return sums;
    }

    private static int Channel(Array4 x, int index) => index / (x.H * x.W) % x.C;
}
