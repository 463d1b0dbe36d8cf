using System.Text.Json.Serialization;
namespace Rpat.Engine.Ops;

/// <summary>Which statistics a batch norm uses; always an argument, never hidden state.</summary>
public enum BnMode
{
    /// <summary>Statistics of the batch; the running statistics are updated.</summary>
    Train,

    /// <summary>Statistics of the batch; the running statistics do not change.</summary>
    [JsonStringEnumMemberName("frozen")]
    TrainFrozen,

    /// <summary>Running statistics.</summary>
    Eval,
}

/// <summary>Recording of batch norms.</summary>
public static class BatchNorm2dOp
{
    /// <summary>Batch norm of <c>[N, C, H, W]</c>, optionally with ReLU, as a view that its readers apply while loading.</summary>
    /// <exception cref="ShapeException">The channels do not match, x is a plain image, or the batch has a single value per channel in
    /// training mode.</exception>
    public static Tensor BatchNorm2d(this Tape tape, Tensor x, BatchNorm2d layer, BnMode mode, bool relu = false)
    {
        ShapeException.Require(Argument.Given(x).Shape.C == Argument.Given(layer).Channels, "BatchNorm2d",
            $"{x} has {x.Shape.C} channels, layer '{layer.Name}' has {layer.Channels}");
        ShapeException.Require(x.Layout == Layout.Blocked, "BatchNorm2d", $"{x} must be activations: use tape.ToActivations");
        long values = (long)(tape.Shard?.GlobalRows(x.Shape.N) ?? x.Shape.N) * x.Shape.Area;
        ShapeException.Require(mode == BnMode.Eval || values > 1, "BatchNorm2d",
            $"training statistics of {x} need more than one value per channel");
        return tape.Record(new BatchNorm2dNode(tape, x, layer, mode, relu)).Output;
    }
}

internal sealed class BatchNorm2dNode : OpNode
{
    private readonly BatchNorm2d _layer;
    private readonly BnMode _mode;
    private readonly bool _relu;
    private readonly Edge _x;
    private readonly Edge _gamma;
    private readonly Edge _beta;
    private readonly Tensor _mean;
    private readonly Tensor _invStd;
    private readonly Tensor _scale;
    private readonly Tensor _shift;
    private readonly SharedBatchNorm? _shared;

    public BatchNorm2dNode(Tape tape, Tensor x, BatchNorm2d layer, BnMode mode, bool relu)
    {
        (_layer, _mode, _relu) = (layer, mode, relu);
        _x = tape.AddStoredInput(x);
        (_gamma, _beta) = (tape.AddInput(layer.Weight), tape.AddInput(layer.Bias));
        var perChannel = new Shape(1, tape.Device.ChannelLength(x.Shape.C));
        _mean = tape.NewTensor(perChannel, Layout.Plain, $"{layer.Name}.mean");
        _invStd = tape.NewTensor(perChannel, Layout.Plain, $"{layer.Name}.invstd");
        _scale = tape.NewTensor(perChannel, Layout.Plain, $"{layer.Name}.scale");
        _shift = tape.NewTensor(perChannel, Layout.Plain, $"{layer.Name}.shift");
        bool constant = mode == BnMode.Eval && !_gamma.NeedsGrad && !_beta.NeedsGrad;
        var output = tape.NewTensor(x.Shape, Layout.Blocked, layer.Name, new AffineView(_x.Stored, _scale, _shift, relu, constant));
        Connect([_x, _gamma, _beta], output, _mean, _invStd, _scale, _shift);
        if (tape.Shard is { } share && mode != BnMode.Eval) _shared = new SharedBatchNorm(tape, layer, x.Shape, share);
    }

    public override string Op => "BatchNorm2d";
    public override IReadOnlyDictionary<string, int> Attributes => new Dictionary<string, int> { ["relu"] = _relu ? 1 : 0 };
    public override IEnumerable<Tensor> Saved => [_x.Stored, _mean, _invStd, _scale, _shift];
    private BatchNormState State => new(_layer.Weight.Data, _layer.Bias.Data, _layer.RunningMean.Data, _layer.RunningVar.Data,
        _layer.Epsilon, _layer.Momentum);
    private BatchNormSaved Statistics => new(_mean.Data, _invStd.Data, _scale.Data, _shift.Data);

    public override void HostPrologue()
    {
        if (_mode == BnMode.Train) _layer.BatchesTracked++;
    }

    public override void Forward(IKernels k)
    {
        if (_mode == BnMode.Eval) k.BatchNormEval(_layer.Channels, State, Statistics);
        else if (_shared is not null) _shared.Forward(k, _x.Data, State, _mode == BnMode.Train, Statistics);
        else k.BatchNormTrain(Output.Shape, _x.Data, State, _mode == BnMode.Train, Statistics);
    }

    public override void Backward(IKernels k)
    {
        var (g, b) = (_gamma.NeedsGrad ? _gamma.Grad : null, _beta.NeedsGrad ? _beta.Grad : null);
        bool apart = g is not null && b is not null && _gamma.Accumulate != _beta.Accumulate; // another op has written one of them
        Backward(k, new(g, apart ? null : b, (g is null ? _beta : _gamma).Accumulate, _x.NeedsGrad ? _x.Grad : null, _x.Accumulate));
        if (apart) Backward(k, new(null, b, _beta.Accumulate, null, false));
    }

    private void Backward(IKernels k, in BatchNormGradients gradients)
    {
        if (_shared is not null) _shared.Backward(k, _x.Data, Output.Grad, Statistics, _relu, gradients);
        else k.BatchNormBackward(Output.Shape, _x.Data, Output.Grad, Statistics, _relu, _mode != BnMode.Eval, gradients);
    }
}
