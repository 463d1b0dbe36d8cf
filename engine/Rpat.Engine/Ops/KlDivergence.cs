namespace Rpat.Engine;

/// <summary>Kullback–Leibler kernels of a backend; logits are plain <c>[N, K]</c>.</summary>
public interface IKlDivergenceKernels
{
    /// <summary>values[i] = KL(softmax(t_i) ‖ softmax(z_i)), formed from log-softmax.</summary>
    void KlDivergence(int n, int k, DeviceBuffer target, DeviceBuffer z, DeviceBuffer values);

    /// <summary>dz (+)= coefficient·(p − q), q = softmax(t), p = softmax(z) (methods.md 2.6).</summary>
    void KlDivergenceGradient(int n, int k, DeviceBuffer target, DeviceBuffer z, float coefficient, bool accumulate, DeviceBuffer dz);

    /// <summary>dt (+)= coefficient·q⊙(log q − log p − KL) (methods.md 2.6).</summary>
    void KlDivergenceTargetGradient(int n, int k, DeviceBuffer target, DeviceBuffer z, float coefficient, bool accumulate, DeviceBuffer dt);
}

/// <summary>Recording of Kullback–Leibler divergences.</summary>
public static class KlDivergenceOp
{
    /// <summary>KL(softmax(target) ‖ softmax(logits)); the gradient reaches both unless the target is detached.</summary>
    /// <exception cref="ShapeException">The sizes differ.</exception>
    public static Loss KlDivergence(this Tape tape, Tensor target, Tensor logits, bool detachTarget = false, Reduction reduction = Reduction.Mean)
    {
        ShapeException.Require(target.Shape == logits.Shape, "KlDivergence", $"{target} and {logits} differ in size");
        return Loss.Of(tape.Record(new KlDivergenceTerm(tape, target, logits, detachTarget, reduction)));
    }
}

internal sealed class KlDivergenceTerm : LossTerm
{
    private readonly Edge _target;
    private readonly Edge _z;
    private readonly bool _detach;

    public KlDivergenceTerm(Tape tape, Tensor target, Tensor logits, bool detachTarget, Reduction reduction)
        : base(tape, logits.Shape.N, reduction, "kl")
    {
        (_z, _detach) = (tape.WireStored(logits), detachTarget);
        _target = detachTarget ? new Edge(target, needsGrad: false) : tape.WireStored(target);
        Inputs = [_target, _z];
    }

    public override string Op => "KlDivergence";
    public override IReadOnlyList<Edge> Inputs { get; }
    public override IEnumerable<Tensor> Saved => [_target.Stored, _z.Stored];
    private (int N, int K) Size => (_z.Stored.Shape.N, _z.Stored.Shape.C);

    public override void Forward(IKernels k) => k.KlDivergence(Size.N, Size.K, _target.Data, _z.Data, Values.Data);

    public override void Backward(IKernels k)
    {
        if (_target.NeedsGrad && !_detach)
            k.KlDivergenceTargetGradient(Size.N, Size.K, _target.Data, _z.Data, Coefficient, _target.Accumulate, _target.Grad);
        if (_z.NeedsGrad)
            k.KlDivergenceGradient(Size.N, Size.K, _target.Data, _z.Data, Coefficient, _z.Accumulate, _z.Grad);
    }
}
