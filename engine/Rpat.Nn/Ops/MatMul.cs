namespace Rpat.Nn.Ops;

/// <summary>Recording of batched matrix products.</summary>
public static class MatMulOp
{
    /// <summary>The products of N·C pairs of plain matrices: <c>[N, C, M, K]</c>·<c>[N, C, K, L]</c> → <c>[N, C, M, L]</c>.</summary>
    /// <param name="transposeA">a is <c>[N, C, K, M]</c>.</param>
    /// <param name="transposeB">b is <c>[N, C, L, K]</c>.</param>
    /// <exception cref="ShapeException">The sizes do not fit.</exception>
    public static Tensor MatMul(this Tape tape, Tensor a, Tensor b, bool transposeA = false, bool transposeB = false)
    {
        Shape s = Bound.Given(a).Shape, t = Bound.Given(b).Shape;
        var (m, k) = transposeA ? (s.W, s.H) : (s.H, s.W);
        var (inner, l) = transposeB ? (t.W, t.H) : (t.H, t.W);
        ShapeException.Require(a.Layout == Layout.Plain && b.Layout == Layout.Plain, "MatMul", $"{a} and {b} must be plain");
        string advice = s.Area > 1 && t.Area > 1 ? "" : ": rows [N, C] are N·C matrices, and tape.Reshape(x, new(1, 1, N, C)) makes one";
        ShapeException.Require((s.N, s.C, k) == (t.N, t.C, inner), "MatMul", $"the matrices of {a} and {b} do not fit{advice}");
        return tape.Record(new MatMulNode(tape, new(s.N * s.C, m, l, k, transposeA, transposeB), a, b)).Output;
    }
}

internal sealed class MatMulNode : Node
{
    private readonly MatMulShape _s;
    private readonly Edge _a, _b;

    public MatMulNode(Tape tape, MatMulShape s, Tensor a, Tensor b)
    {
        (_s, _a, _b) = (s, tape.AddStoredInput(a), tape.AddStoredInput(b));
        Output = tape.NewTensor(a.Shape with { H = s.M, W = s.N }, Layout.Plain, "matmul");
        (Inputs, Outputs) = ([_a, _b], [Output]);
    }

    public Tensor Output { get; }
    public override string Op => "MatMul";
    public override IReadOnlyList<Edge> Inputs { get; }
    public override IReadOnlyList<Tensor> Outputs { get; }
    public override double MultiplyAdds => (double)Output.Shape.Count * _s.K;
    public override IEnumerable<Tensor> Saved => [_a.Stored, _b.Stored];

    public override void Forward(IKernels k) => k.MatMul(_s, _a.Data, _b.Data, false, Output.Data);

    public override void Backward(IKernels k)
    {
        if (_a.NeedsGrad) GradientOfA(k);
        if (_b.NeedsGrad) GradientOfB(k);
    }

    // dA = dC·Bᵀ, or its transpose B·dCᵀ if A is stored transposed.
    private void GradientOfA(IKernels k)
    {
        if (_s.TransposeA)
            k.MatMul(new(_s.Batch, _s.K, _s.M, _s.N, _s.TransposeB, true), _b.Data, Output.Grad, _a.Accumulate, _a.Grad);
        else k.MatMul(new(_s.Batch, _s.M, _s.K, _s.N, false, !_s.TransposeB), Output.Grad, _b.Data, _a.Accumulate, _a.Grad);
    }

    // dB = Aᵀ·dC, or its transpose dCᵀ·A.
    private void GradientOfB(IKernels k)
    {
        if (_s.TransposeB)
            k.MatMul(new(_s.Batch, _s.N, _s.K, _s.M, true, _s.TransposeA), Output.Grad, _a.Data, _b.Accumulate, _b.Grad);
        else k.MatMul(new(_s.Batch, _s.K, _s.N, _s.M, !_s.TransposeA, false), _a.Data, Output.Grad, _b.Accumulate, _b.Grad);
    }
}
