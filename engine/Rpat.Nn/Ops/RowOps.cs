namespace Rpat.Nn.Ops;

/// <summary>Recording of ops on rows: softmax and normalisations. They run on the kernels of losses: a softmax is a gradient.</summary>
public static class RowOps
{
    /// <summary>exp z/Σ exp z along the last axis of plain z: columns of <c>[N, C, H, W]</c>, or channels of <c>[N, C]</c>.</summary>
    /// <exception cref="ShapeException">z is not plain.</exception>
    public static Tensor Softmax(this Tape tape, Tensor z) =>
        Softmax(tape, z, Bound.Given(z).Shape.Area == 1 ? z.Shape.C : z.Shape.W);

    /// <summary>Plain <c>[N, C]</c>, each row with mean 0 and deviation 1, times weight, plus bias.</summary>
    /// <param name="weight">One factor per column; null for 1.</param>
    /// <param name="bias">One summand per column; null for 0.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <exception cref="ShapeException">x is not plain <c>[N, C]</c>, or a parameter has another number of values.</exception>
    public static Tensor LayerNorm(this Tape tape, Tensor x, Tensor? weight = null, Tensor? bias = null, double epsilon = 1e-5)
    {
        ShapeException.Require(Bound.Given(x).Shape.Area == 1, "LayerNorm", $"{x} must be [N, C]");
        return Affine(tape, Standardize(tape, "LayerNorm", x, x.Shape.C, epsilon), weight, bias);
    }

    /// <summary>
    /// Groups of channels of each sample, with mean 0 and deviation 1 over channels and pixels, times weight, plus bias per channel;
    /// activations or images. One group normalises images by themselves, as many groups as channels are an instance norm.
    /// </summary>
    /// <inheritdoc cref="LayerNorm"/>
    /// <exception cref="ShapeException">The channels do not divide into the groups.</exception>
    public static Tensor GroupNorm(this Tape tape, Tensor x, int groups, Tensor? weight = null, Tensor? bias = null, double epsilon = 1e-5)
    {
        ShapeException.Require(groups > 0 && Bound.Given(x).Shape.C % groups == 0, "GroupNorm",
            $"{x} does not divide into {groups} groups");
        Tensor y = Standardize(tape, "GroupNorm", tape.ToPlain(x), x.Shape.SampleCount / groups, epsilon);
        return Affine(tape, x.Layout == Layout.Plain ? y : tape.ToActivations(y), weight, bias);
    }

    /// <summary>
    /// Attention (Vaswani et al., 2017): softmax(q·kᵀ/√d)·v for each head. Queries, keys and values are plain rows
    /// <c>[N·T, heads·d]</c>, T tokens of a sample after each other.
    /// </summary>
    /// <param name="tokens">Tokens per sample.</param>
    /// <exception cref="ShapeException">The rows do not divide into tokens, or the columns into heads.</exception>
    public static Tensor Attention(this Tape tape, Tensor q, Tensor k, Tensor v, int tokens, int heads)
    {
        Shape s = Bound.Given(q).Shape;
        ShapeException.Require(
            Bound.Given(k).Shape == s && Bound.Given(v).Shape == s && s.Area == 1 && tokens > 0 && heads > 0 && s.N % tokens == 0
                && s.C % heads == 0, "Attention", $"{q}, {k} and {v} do not divide into {tokens} tokens and {heads} heads");
        Shape split = new(s.N / tokens, tokens, heads, s.C / heads);
        Tensor Heads(Tensor x) => tape.Permute(tape.Reshape(x, split), 0, 2, 1, 3);
        Tensor scores = tape.MatMul(tape.Multiply(Heads(q), 1 / Math.Sqrt(split.W)), Heads(k), transposeB: true);
        Tensor mixed = tape.MatMul(Softmax(tape, scores, tokens), Heads(v)); // the scores of one token are still a row
        return tape.Reshape(tape.Permute(mixed, 0, 2, 1, 3), s);
    }

    private static Tensor Softmax(Tape tape, Tensor z, int columns) =>
        Record(tape, "Softmax", new LogSumExp(), new SoftmaxDot(), z, columns);

    private static Tensor Standardize(Tape tape, string op, Tensor x, int columns, double epsilon)
    {
        ShapeException.Require(epsilon > 0, op, $"ε {epsilon} must be positive");
        return Record(tape, op, new Deviation(epsilon), new StandardizedDot(epsilon), x, columns);
    }

    private static Tensor Affine(Tape tape, Tensor x, Tensor? weight, Tensor? bias)
    {
        Tensor y = weight is null ? x : tape.Multiply(x, weight);
        return bias is null ? y : tape.Add(y, bias);
    }

    private static Tensor Record<TOp, TBack>(Tape tape, string op, TOp forward, TBack backward, Tensor x, int columns)
        where TOp : struct, IRowLoss where TBack : struct, IRowLoss
    {
        ShapeException.Require(x.Layout == Layout.Plain, op, $"{x} must be plain");
        return tape.Record(new RowNode<TOp, TBack>(tape, op, forward, backward, x, columns)).Output;
    }
}

/// <summary>y = the gradient of one function of rows; dx = that of another, which is given x and dy.</summary>
internal sealed class RowNode<TOp, TBack> : Node where TOp : struct, IRowLoss where TBack : struct, IRowLoss
{
    private readonly TOp _forward;
    private readonly TBack _backward;
    private readonly Edge _x;
    private readonly int _columns;

    public RowNode(Tape tape, string op, TOp forward, TBack backward, Tensor x, int columns)
    {
        (Op, _forward, _backward, _x, _columns) = (op, forward, backward, tape.AddStoredInput(x), columns);
        Output = tape.NewTensor(x.Shape, Layout.Plain, op.ToLowerInvariant());
        (Inputs, Outputs) = ([_x], [Output]);
    }

    public Tensor Output { get; }
    public override string Op { get; }
    public override IReadOnlyList<Edge> Inputs { get; }
    public override IReadOnlyList<Tensor> Outputs { get; }
    public override IEnumerable<Tensor> Saved => [_x.Stored];
    private RowLossOperands Rows => new((int)(Output.Shape.Count / _columns), _columns, 1, _x.Data);

    public override void Forward(IKernels k) => k.RowLossGradient(_forward, Rows, 1, new(Output.Data, false), default, default);

    public override void Backward(IKernels k) =>
        k.RowLossGradient(_backward, Rows with { Second = Output.Grad }, 1, new(_x.Grad, _x.Accumulate), default, default);
}
