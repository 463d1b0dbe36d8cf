namespace Rpat.Engine;

/// <summary>Mean-squared-error kernels of a backend; a and b are plain <c>[N, K]</c>.</summary>
public interface IMeanSquaredErrorKernels
{
    /// <summary>values[i] = mean_k (a_ik − b_ik)².</summary>
    void MeanSquaredError(int n, int k, DeviceBuffer a, DeviceBuffer b, DeviceBuffer values);

    /// <summary>da (+)= coefficient·2(a − b)/K.</summary>
    void MeanSquaredErrorGradient(int n, int k, DeviceBuffer a, DeviceBuffer b, float coefficient, bool accumulate, DeviceBuffer da);
}

/// <summary>Recording of mean squared errors.</summary>
public static class MeanSquaredErrorOp
{
    /// <summary>Mean over samples and columns of (a − b)²; the gradient reaches both.</summary>
    /// <exception cref="ShapeException">The sizes differ.</exception>
    public static Loss MeanSquaredError(this Tape tape, Tensor a, Tensor b, Reduction reduction = Reduction.Mean)
    {
        ShapeException.Require(a.Shape == b.Shape, "MeanSquaredError", $"{a} and {b} differ in size");
        return Loss.Of(tape.Record(new MeanSquaredErrorTerm(tape, a, b, reduction)));
    }
}

internal sealed class MeanSquaredErrorTerm : LossTerm
{
    private readonly Edge _a;
    private readonly Edge _b;

    public MeanSquaredErrorTerm(Tape tape, Tensor a, Tensor b, Reduction reduction) : base(tape, a.Shape.N, reduction, "mse")
    {
        (_a, _b) = (tape.WireStored(a), tape.WireStored(b));
        Inputs = [_a, _b];
    }

    public override string Op => "MeanSquaredError";
    public override IReadOnlyList<Edge> Inputs { get; }
    public override IEnumerable<Tensor> Saved => [_a.Stored, _b.Stored];

    public override void Forward(IKernels k) => k.MeanSquaredError(_a.Stored.Shape.N, _a.Stored.Shape.C, _a.Data, _b.Data, Values.Data);

    public override void Backward(IKernels k)
    {
        Backward(k, _a, _b);
        Backward(k, _b, _a);
    }

    private void Backward(IKernels k, Edge to, Edge other)
    {
        if (!to.NeedsGrad) return;
        k.MeanSquaredErrorGradient(to.Stored.Shape.N, to.Stored.Shape.C, to.Data, other.Data, Coefficient, to.Accumulate, to.Grad);
    }
}
