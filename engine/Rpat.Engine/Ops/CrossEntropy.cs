namespace Rpat.Engine;

/// <summary>Cross-entropy kernels of a backend.</summary>
public interface ICrossEntropyKernels
{
    /// <summary>values[i] = −log softmax(z_i)[y_i], z plain <c>[N, K]</c>.</summary>
    void CrossEntropy(int n, int k, DeviceBuffer z, DeviceBuffer labels, DeviceBuffer values);

    /// <summary>dz (+)= coefficient·(softmax(z) − onehot(y)) (methods.md 2.6).</summary>
    void CrossEntropyGradient(int n, int k, DeviceBuffer z, DeviceBuffer labels, float coefficient, bool accumulate, DeviceBuffer dz);
}

/// <summary>Recording of cross-entropies.</summary>
public static class CrossEntropyOp
{
    /// <summary>Softmax cross-entropy of logits <c>[N, K]</c> against labels.</summary>
    /// <exception cref="ShapeException">The batch sizes differ; when run: a label is not a column of the logits.</exception>
    public static Loss CrossEntropy(this Tape tape, Tensor logits, Labels labels, Reduction reduction = Reduction.Mean)
    {
        ShapeException.Require(logits.Shape.N == labels.Count, "CrossEntropy", $"{logits} and {labels.Count} labels differ in batch size");
        return Loss.Of(tape.Record(new CrossEntropyTerm(tape, logits, labels, reduction)));
    }
}

internal sealed class CrossEntropyTerm : LossTerm
{
    private readonly Edge _z;
    private readonly Labels _labels;

    public CrossEntropyTerm(Tape tape, Tensor logits, Labels labels, Reduction reduction) : base(tape, logits.Shape.N, reduction, "ce")
    {
        (_z, _labels) = (tape.WireStored(logits), labels);
        Inputs = [_z];
    }

    public override string Op => "CrossEntropy";
    public override IReadOnlyList<Edge> Inputs { get; }
    public override IEnumerable<Tensor> Saved => [_z.Stored];

    public override void Begin() => _labels.RequireBelow(_z.Stored.Shape.C, Op);

    public override void Forward(IKernels k) =>
        k.CrossEntropy(_z.Stored.Shape.N, _z.Stored.Shape.C, _z.Data, _labels.Data, Values.Data);

    public override void Backward(IKernels k) =>
        k.CrossEntropyGradient(_z.Stored.Shape.N, _z.Stored.Shape.C, _z.Data, _labels.Data, Coefficient, _z.Accumulate, _z.Grad);
}
