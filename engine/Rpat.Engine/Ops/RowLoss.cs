using Rpat.Engine.Kernels.Cpu;

namespace Rpat.Engine;

/// <summary>
/// One row of logits or probabilities as the threads that share it see it: one on a CPU, the 32 of a warp on a GPU. A thread takes the
/// columns <c>for (int j = row.First; j &lt; row.Count; j += row.Step)</c> and may read all; all threads call <see cref="Sum"/> and
/// <see cref="Max"/> alike and get the same result.
/// </summary>
public interface IRow
{
    /// <summary>Columns.</summary>
    int Count { get; }

    /// <summary>This thread's first column.</summary>
    int First { get; }

    /// <summary>Distance to this thread's next column.</summary>
    int Step { get; }

    /// <summary>The value of a column, widened.</summary>
    double At(int column);

    /// <summary>Stores the gradient of one of this thread's columns, or adds it to what other losses left there; nothing where none is wanted.</summary>
    void Put(int column, double gradient);

    /// <summary>Sum over the threads, in a fixed order.</summary>
    double Sum(double ofThread);

    /// <summary>Maximum over the threads.</summary>
    double Max(double ofThread);

    /// <summary>eˣ.</summary>
    double Exp(double x);

    /// <summary>ln x.</summary>
    double Log(double x);
}

/// <summary>What a loss of one sample reads.</summary>
/// <param name="z">Logits.</param>
/// <param name="second">The second row of losses that compare several; else the first again.</param>
/// <param name="third">The third row; else the first again.</param>
/// <param name="label">True class; 0 where the loss has none.</param>
public readonly struct LossRows<TRow>(TRow z, TRow second, TRow third, int label) where TRow : struct, IRow
{
    /// <summary>Logits.</summary>
    public readonly TRow Z = z;

    /// <summary>The second row.</summary>
    public readonly TRow Second = second;

    /// <summary>The third row.</summary>
    public readonly TRow Third = third;

    /// <summary>True class.</summary>
    public readonly int Label = label;
}

/// <summary>
/// A loss of one, two or three rows of logits: its value and its gradient, written once for every device and for the host. It is a struct
/// of plain numbers without arrays, and its methods call only methods that can be inlined, so that a GPU can run them. Form it from
/// log-softmax (<see cref="RowMath"/>), so that it stays finite where a probability underflows.
/// </summary>
public interface IRowLoss
{
    /// <summary>The value of a row.</summary>
    /// <param name="rows">What it reads.</param>
    /// <param name="part">Which of its parts, for losses whose parts are logged apart (<see cref="RowLossOptions.Parts"/>); else 0.</param>
    double Value<TRow>(LossRows<TRow> rows, int part) where TRow : struct, IRow;

    /// <summary>
    /// Puts factor·∂loss/∂row, loss being the weighted sum of the parts, into every column of each row that the loss is differentiable in,
    /// column by column in the order of the rows.
    /// </summary>
    void Gradient<TRow>(LossRows<TRow> rows, double factor) where TRow : struct, IRow;
}

/// <summary>What the losses of a batch read; rows are plain <c>[N, K]</c>.</summary>
/// <param name="N">Rows that get a value.</param>
/// <param name="K">Columns.</param>
/// <param name="Parts">Values per row.</param>
/// <param name="Z">Logits.</param>
/// <param name="Second">The second rows, or null.</param>
/// <param name="SecondFrom">Row of <paramref name="Second"/> that belongs to row 0.</param>
/// <param name="Third">The third rows, or null.</param>
/// <param name="Labels">True classes, or null.</param>
/// <param name="Weights">One factor per row, or null for 1.</param>
public readonly record struct RowLossOperands(int N, int K, int Parts, DeviceBuffer Z, DeviceBuffer? Second = null, int SecondFrom = 0,
    DeviceBuffer? Third = null, DeviceBuffer? Labels = null, DeviceBuffer? Weights = null);

/// <summary>Where the gradient of a row goes: added to what is there or stored; nowhere without a buffer.</summary>
public readonly record struct RowGradient(DeviceBuffer? Data, bool Add);

/// <summary>The kernels of every loss of logits: a new loss is one struct and needs no new kernel.</summary>
public interface IRowLossKernels
{
    /// <summary>values[part, i] = weight_i·loss(rows_i, part).</summary>
    void RowLoss<TLoss>(in TLoss loss, in RowLossOperands rows, DeviceBuffer values) where TLoss : struct, IRowLoss;

    /// <summary>All gradients of coefficient·Σ weight_i·loss(rows_i), in one pass.</summary>
    void RowLossGradient<TLoss>(in TLoss loss, in RowLossOperands rows, float coefficient, RowGradient z, RowGradient second, RowGradient third)
        where TLoss : struct, IRowLoss;
}

/// <summary>A part of a loss that logs show apart.</summary>
/// <param name="Name">What logs call it.</param>
/// <param name="Weight">Its coefficient in the loss.</param>
public readonly record struct LossPart(string Name, float Weight = 1);

/// <summary>What a loss is recorded with, next to the loss and its logits.</summary>
public sealed record RowLossOptions
{
    /// <summary>Second rows <c>[N, K]</c>: a target's logits or probabilities; null where the loss has none.</summary>
    public Tensor? Second { get; init; }

    /// <summary>Third rows <c>[N, K]</c>; null where the loss has none.</summary>
    public Tensor? Third { get; init; }

    /// <summary>Whether the gradient stops at <see cref="Second"/>.</summary>
    public bool Detach { get; init; }

    /// <summary>The second row of row i is row i + N/2 of the same logits, for i below N/2: two views of an image in one batch.</summary>
    public bool Halves { get; init; }

    /// <summary>True classes, where the loss has them.</summary>
    public Labels? Labels { get; init; }

    /// <summary>One constant factor per row, <c>[1, N]</c>; null for 1.</summary>
    public Tensor? Weights { get; init; }

    /// <summary>Mean or sum over the rows.</summary>
    public Reduction Reduction { get; init; }

    /// <summary>The parts of the value; null for one that has the loss's name.</summary>
    public IReadOnlyList<LossPart>? Parts { get; init; }
}

/// <summary>Recording of losses of logits, and their values on the host.</summary>
public static class RowLossOp
{
    /// <summary>Records a loss of logits <c>[N, K]</c>.</summary>
    /// <param name="tape">Where it is recorded.</param>
    /// <param name="name">What logs call it, if it has no parts of its own.</param>
    /// <param name="loss">The loss.</param>
    /// <param name="logits">z.</param>
    /// <param name="options">Further rows, labels, weights.</param>
    /// <exception cref="ShapeException">Logits, further rows, labels and weights do not fit together; when run: a label is no column.</exception>
    public static Loss RowLoss<TLoss>(this Tape tape, string name, TLoss loss, Tensor logits, RowLossOptions options) where TLoss : struct, IRowLoss
    {
        string op = typeof(TLoss).Name;
        int rows = options.Halves ? logits.Shape.N / 2 : logits.Shape.N;
        ShapeException.Require(!options.Halves || logits.Shape.N % 2 == 0, op, $"{logits} has no two halves");
        foreach (var other in new[] { options.Second, options.Third }.OfType<Tensor>())
            ShapeException.Require(other.Shape == logits.Shape, op, $"{logits} and {other} differ in size");
        ShapeException.Require(options.Labels is null || options.Labels.Count == logits.Shape.N, op,
            $"{logits} and {options.Labels?.Count} labels differ in batch size");
        ShapeException.Require(options.Weights is null || options.Weights.Shape.Count == rows, op, $"{logits} and {options.Weights} differ in batch size");
        return Loss.Of(tape.Record(new RowLossNode<TLoss>(tape, name, loss, logits, rows, options)));
    }

    /// <summary>The value of a loss at one row on the host, all parts summed without their weights, and its gradient by the first row.</summary>
    /// <param name="loss">The loss.</param>
    /// <param name="z">Logits <c>[K]</c>.</param>
    /// <param name="second">The second row <c>[K]</c>; empty where the loss has none.</param>
    /// <param name="label">True class.</param>
    /// <param name="gradient">Receives ∂loss/∂z <c>[K]</c>; empty where it is not wanted.</param>
    public static unsafe double Evaluate<TLoss>(this TLoss loss, ReadOnlySpan<float> z, ReadOnlySpan<float> second, int label, Span<float> gradient)
        where TLoss : struct, IRowLoss
    {
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
        _z = tape.WireStored(logits);
        if (options.Second is { } second) _second = options.Detach ? new Edge(second, needsGrad: false) : tape.WireStored(second);
        if (options.Third is { } third) _third = tape.WireStored(third);
        if (options.Weights is { } weights) _weights = new Edge(weights, needsGrad: false);
        Inputs = [.. new[] { _z, _second, _third, _weights }.OfType<Edge>()];
    }

    public override string Op => typeof(TLoss).Name;
    public override string Detail => Parts[0];
    public override IReadOnlyList<Edge> Inputs { get; }
    public override IEnumerable<Tensor> Saved => Inputs.Select(e => e.Stored);
    protected override float PartWeight(int part) => _parts?[part].Weight ?? 1;
    private int K => _z.Stored.Shape.C;

    private RowLossOperands Rows => new(_rows, K, Parts.Count, _z.Data, _halves ? _z.Data : _second?.Data, _halves ? _rows : 0,
        _third?.Data, _labels?.Data, _weights?.Data);

    public override void Begin() => _labels?.RequireBelow(K, Op);

    public override void Forward(IKernels k) => k.RowLoss(_loss, Rows, Values.Data);

    public override void Backward(IKernels k) =>
        k.RowLossGradient(_loss, Rows, Coefficient, Target(_z), _halves ? Target(_z) : Target(_second), Target(_third));

    private static RowGradient Target(Edge? edge) => edge is { NeedsGrad: true } ? new(edge.Grad, edge.Accumulate) : default;
}
