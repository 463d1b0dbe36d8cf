namespace Rpat.Engine.Ops;

/// <summary>A part of a loss that is logged separately.</summary>
/// <param name="Weight">Its coefficient in the loss.</param>
public readonly record struct LossPart(string Name, float Weight = 1);

/// <summary>The options of a loss, in addition to its logits.</summary>
public sealed record RowLossOptions
{
    /// <summary>Second rows <c>[N, K]</c>: a target's logits or probabilities; null if the loss has none.</summary>
    public Tensor? Second { get; init; }

    /// <summary>Third rows <c>[N, K]</c>; null if the loss has none.</summary>
    public Tensor? Third { get; init; }

    /// <summary>Whether the gradient stops at <see cref="Second"/>.</summary>
    public bool Detach { get; init; }

    /// <summary>The second row of row i is row i + N/2 of the same logits, for i below N/2: two views of an image in one batch.</summary>
    public bool Halves { get; init; }

    /// <summary>True classes, if the loss uses them.</summary>
    public Labels? Labels { get; init; }

    /// <summary>One constant factor per row, <c>[1, N]</c>; null for 1.</summary>
    public Tensor? Weights { get; init; }

    /// <summary>Mean or sum over the rows.</summary>
    public Reduction Reduction { get; init; }

    /// <summary>The parts of the value; null for a single part with the loss's name.</summary>
    public IReadOnlyList<LossPart>? Parts { get; init; }
}

/// <summary>Recording of losses of logits, and their values on the host.</summary>
public static class RowLossOp
{
    /// <summary>Records a loss of logits <c>[N, K]</c>; the name is its name in logs if it does not have parts.</summary>
    /// <exception cref="ShapeException">Logits, further rows, labels and weights do not match; at run time: a label is not a
    /// column.</exception>
    public static Loss RowLoss<TLoss>(this Tape tape, string name, TLoss loss, Tensor logits, RowLossOptions options)
        where TLoss : struct, IRowLoss
    {
        ArgumentNullException.ThrowIfNull(name);
        string op = typeof(TLoss).Name;
        int rows = options.Halves ? Argument.Given(logits).Shape.N / 2 : Argument.Given(logits).Shape.N;
        ShapeException.Require(logits is { Shape.Area: 1, Layout: Layout.Plain }, op,
            $"{logits} is a map, not rows [N, K]: use tape.Flatten(tape.ToPlain(x)) or a pooling");
        ShapeException.Require(!options.Halves || logits.Shape.N % 2 == 0, op, $"{logits} has no two halves");
        foreach (var other in new[] { options.Second, options.Third }.OfType<Tensor>())
            ShapeException.Require(other.Shape == logits.Shape && other.Layout == Layout.Plain, op,
                $"{logits} and {other} differ in {(other.Shape == logits.Shape ? "layout" : "size")}");
        ShapeException.Require(options.Labels is null || options.Labels.Count == logits.Shape.N, op,
            $"{logits} and {options.Labels?.Count} labels differ in batch size");
        ShapeException.Require(options.Labels is null || options.Labels.Device == tape.Device, op, "the labels are on another device");
        ShapeException.Require(options.Weights is not { } weights || (weights.Layout == Layout.Plain && weights.Shape.Count == rows), op,
            $"{options.Weights} is not one plain weight for each of the {rows} rows of {logits}");
        return Loss.Of(tape.Record(new RowLossNode<TLoss>(tape, name, loss, logits, rows, options)));
    }

    /// <summary>
    /// The value of a loss at one row on the host, of several parts the first, and the gradient of all by the first row. There is no third.
    /// </summary>
    /// <param name="z">Logits <c>[K]</c>.</param>
    /// <param name="second">The second row <c>[K]</c>; empty if the loss has none.</param>
    /// <param name="gradient">Receives ∂loss/∂z <c>[K]</c>; empty if not needed.</param>
    /// <exception cref="ShapeException">The rows differ in length, or the label is not a column.</exception>
    public static unsafe double Evaluate<TLoss>(this TLoss loss, ReadOnlySpan<float> z, ReadOnlySpan<float> second, int label,
        Span<float> gradient)
        where TLoss : struct, IRowLoss
    {
        bool fit = (second.IsEmpty || second.Length == z.Length) && (gradient.IsEmpty || gradient.Length == z.Length);
        if (!fit || (uint)label >= (uint)z.Length) throw new ShapeException(typeof(TLoss).Name,
            $"rows of {z.Length}, {second.Length} and {gradient.Length} values and class {label} do not fit");
        gradient.Clear();
        fixed (float* at = z, other = second, to = gradient)
        {
            var row = new CpuRow(at, to, z.Length, add: false);
            var constant = new CpuRow(other == null ? at : other, null, z.Length, add: false);
            var rows = new LossRows<CpuRow>(row, constant, constant, label);
            if (to != null) loss.Gradient(rows, 1);
            return loss.Value(rows, 0);
        }
    }
}

internal sealed class RowLossNode<TLoss> : LossTerm where TLoss : struct, IRowLoss
{
    private readonly TLoss _loss;
    private readonly Edge _z;
    private readonly Edge? _second;
    private readonly Edge? _third;
    private readonly Edge? _weights;
    private readonly Labels? _labels;
    private readonly bool _halves;
    private readonly IReadOnlyList<LossPart>? _parts;
    private readonly int _rows;

    public RowLossNode(Tape tape, string name, TLoss loss, Tensor logits, int rows, RowLossOptions options)
        : base(tape, rows, options.Reduction, [.. options.Parts?.Select(part => part.Name) ?? [name]])
    {
        (_loss, _rows, _labels, _halves, _parts) = (loss, rows, options.Labels, options.Halves, options.Parts);
        _z = tape.AddStoredInput(logits);
        if (options.Second is { } second) _second = options.Detach ? Constant(second) : tape.AddStoredInput(second);
        if (options.Third is { } third) _third = tape.AddStoredInput(third);
        if (options.Weights is { } weights) _weights = Constant(weights);
        Inputs = [.. new[] { _z, _second, _third, _weights }.OfType<Edge>()];
        Edge Constant(Tensor x) => Edge.Constant(tape.AddStoredInput(x).Tensor);
    }

    public override string Op => typeof(TLoss).Name;
    public override string Detail => Parts[0];
    public override IReadOnlyList<Edge> Inputs { get; }
    public override IEnumerable<Tensor> Saved => Inputs.Select(e => e.Stored);
    protected override float PartWeight(int part) => _parts?[part].Weight ?? 1;
    private int K => _z.Stored.Shape.C;

    private RowLossOperands Rows => new(_rows, K, Parts.Count, _z.Data, _halves ? _z.Data : _second?.Data, _halves ? _rows : 0,
        _third?.Data, _labels?.Data, _weights?.Data);

    public override void HostPrologue() => _labels?.RequireBelow(K, Op);

    public override void Forward(IKernels k) => k.RowLoss(_loss, Rows, Values.Data);

    public override void Backward(IKernels k) =>
        k.RowLossGradient(_loss, Rows, Coefficient, Target(_z), _halves ? Target(_z) : Target(_second), Target(_third));

    private static RowGradient Target(Edge? edge) => edge is { NeedsGrad: true } ? new(edge.Grad, edge.Accumulate) : default;
}
