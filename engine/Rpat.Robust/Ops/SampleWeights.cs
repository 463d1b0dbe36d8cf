namespace Rpat.Robust.Ops;

/// <summary>
/// Computes the weight of every sample of a batch from logits <c>[N, K]</c>, row by row, and true classes: a finite number of at least 0
/// for each; the weights hold nothing before.
/// </summary>
public delegate void SampleWeighting(ReadOnlySpan<float> logits, ReadOnlySpan<int> labels, Span<float> weights);

/// <summary>Recording of sample weights.</summary>
public static class SampleWeightsOp
{
    /// <summary>
    /// Weights <c>[1, N]</c> that depend on the batch's logits, computed on the host between two ops of the tape: they are constants in the
    /// backward pass. The logits are downloaded and the weights uploaded, both few, so that a method's weights are plain C#.
    /// </summary>
    /// <exception cref="ShapeException">The batch sizes differ.</exception>
    public static Tensor SampleWeights(this Tape tape, Tensor logits, Labels labels, SampleWeighting weigh)
    {
        ShapeException.Require(Argument.Given(logits).Shape.N == Argument.Given(labels).Count,
            "SampleWeights", $"{logits} and {labels.Count} labels differ in batch size");
        return tape.Record(new SampleWeightsNode(tape, logits, labels, weigh)).Weights;
    }
}

internal sealed class SampleWeightsNode : Node
{
    private readonly Tensor _logits;
    private readonly Labels _labels;
    private readonly SampleWeighting _weigh;
    private readonly float[] _rows;
    private readonly float[] _weights;
    private readonly WholeBatch? _whole;

    public SampleWeightsNode(Tape tape, Tensor logits, Labels labels, SampleWeighting weigh)
    {
        (_logits, _labels, _weigh) = (logits, labels, weigh);
        (_rows, _weights) = (new float[logits.Shape.Count], new float[logits.Shape.N]);
        Inputs = [Edge.Constant(logits)];
        Weights = tape.NewTensor(new Shape(1, logits.Shape.N), Layout.Plain, "weights");
        Outputs = [Weights];
        if (tape.Shard is { } share) _whole = new WholeBatch(share, logits.Shape);
    }

    public Tensor Weights { get; }
    public override string Op => "SampleWeights";
    public override IReadOnlyList<Edge> Inputs { get; }
    public override IReadOnlyList<Tensor> Outputs { get; }

    public override void Forward(IKernels k)
    {
        _logits.CopyTo(_rows);
        if (_whole is null) RowRule.Weigh(_weigh, _rows, _labels.OnHost, _weights);
        else _whole.Weigh(_weigh, _rows, _labels.OnHost, _weights);
        _logits.Device.Upload(_weights, Weights.Data);
    }

    public override void Backward(IKernels k)
    {
        // Weights are constants.
    }

    /// <summary>Weights may depend on all images of the batch: every process computes those of the whole batch and keeps its own.</summary>
    private sealed class WholeBatch(BatchShard share, Shape part)
    {
        private readonly float[] _rows = new float[share.GlobalRows(part.N) * part.C];
        private readonly int[] _labels = new int[share.GlobalRows(part.N)];
        private readonly float[] _weights = new float[share.GlobalRows(part.N)];

        public void Weigh(SampleWeighting weigh, ReadOnlySpan<float> rows, ReadOnlySpan<int> labels, Span<float> weights)
        {
            share.Gather(rows, part.C, _rows);
            share.Gather(labels, 1, _labels);
            RowRule.Weigh(weigh, _rows, _labels, _weights);
            share.Take<float>(_weights, 1, weights);
        }
    }
}
