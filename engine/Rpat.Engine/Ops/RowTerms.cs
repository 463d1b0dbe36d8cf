namespace Rpat.Engine;

/// <summary>One row of logits or probabilities while a term is computed: its values, where its gradient goes, and the arithmetic.</summary>
public interface IRow
{
    /// <summary>Columns.</summary>
    int Count { get; }

    /// <summary>The value of a column, widened.</summary>
    double At(int column);

    /// <summary>Stores the gradient of a column, or adds it to what other terms left there; nothing where none is wanted.</summary>
    void Put(int column, double gradient);

    /// <summary>eˣ.</summary>
    double Exp(double x);

    /// <summary>ln x.</summary>
    double Log(double x);
}

/// <summary>
/// A loss of one row of logits: its value and its gradient, written once for all devices. A term is a struct of plain numbers without
/// arrays, and its methods call only methods that can be inlined, so that a GPU can run them, one thread a row.
/// </summary>
public interface IRowTerm
{
    /// <summary>The value of a row.</summary>
    /// <param name="z">Logits.</param>
    /// <param name="other">The second row of terms that compare two; else the first again.</param>
    /// <param name="label">True class, or 0 where the term has none.</param>
    double Value<TRow>(TRow z, TRow other, int label) where TRow : struct, IRow;

    /// <summary>Puts factor·∂value/∂z into every column of z, and factor·∂value/∂other into the other row if the term is differentiable there.</summary>
    void Gradient<TRow>(TRow z, TRow other, int label, double factor) where TRow : struct, IRow;
}

/// <summary>What the terms of a batch read; rows are plain <c>[N, K]</c>.</summary>
/// <param name="N">Rows that get a value.</param>
/// <param name="K">Columns.</param>
/// <param name="Z">Logits.</param>
/// <param name="Other">The second rows, or null.</param>
/// <param name="OtherFrom">Row of <paramref name="Other"/> that belongs to row 0.</param>
/// <param name="Labels">True classes, or null.</param>
/// <param name="Weights">One factor a row, or null for 1.</param>
public readonly record struct RowTermOperands(int N, int K, DeviceBuffer Z, DeviceBuffer? Other, int OtherFrom, DeviceBuffer? Labels, DeviceBuffer? Weights);

/// <summary>Where gradients go; null where none is wanted.</summary>
/// <param name="Z">Of the logits.</param>
/// <param name="AddZ">Add instead of storing.</param>
/// <param name="Other">Of the second rows.</param>
/// <param name="AddOther">Add instead of storing.</param>
public readonly record struct RowTermGradients(DeviceBuffer? Z, bool AddZ, DeviceBuffer? Other, bool AddOther);

/// <summary>The kernels of every term that is a function of one row (or of two): a new term is one struct and needs no new kernel.</summary>
public interface IRowTermsKernels
{
    /// <summary>values[i] = weight_i·term(z_i, other_i, label_i).</summary>
    void RowTerms<TTerm>(in TTerm term, in RowTermOperands rows, DeviceBuffer values) where TTerm : struct, IRowTerm;

    /// <summary>Gradients of coefficient·Σ weight_i·term(z_i, other_i, label_i).</summary>
    void RowTermsGradient<TTerm>(in TTerm term, in RowTermOperands rows, float coefficient, in RowTermGradients d) where TTerm : struct, IRowTerm;
}

/// <summary>What a row term is recorded with, besides the term and its logits.</summary>
public sealed record RowTermOptions
{
    /// <summary>Second rows <c>[N, K]</c>: a target's logits or probabilities; null where the term has none.</summary>
    public Tensor? Other { get; init; }

    /// <summary>Whether the gradient stops at <see cref="Other"/>.</summary>
    public bool Detach { get; init; }

    /// <summary>The second row of row i is row i + N/2 of the same logits, for i below N/2: two views of an image in one batch.</summary>
    public bool Halves { get; init; }

    /// <summary>True classes, where the term has them.</summary>
    public Labels? Labels { get; init; }

    /// <summary>One constant factor a row, <c>[1, N]</c>; null for 1.</summary>
    public Tensor? Weights { get; init; }

    /// <summary>Mean or sum over the rows.</summary>
    public Reduction Reduction { get; init; }
}

/// <summary>Recording of row terms.</summary>
public static class RowTermsOp
{
    /// <summary>Records a term of logits <c>[N, K]</c>.</summary>
    /// <param name="tape">Where it is recorded.</param>
    /// <param name="name">What logs call it.</param>
    /// <param name="term">The term.</param>
    /// <param name="logits">z.</param>
    /// <param name="options">Second rows, labels, weights.</param>
    /// <exception cref="ShapeException">Logits, second rows, labels and weights do not fit together; when run: a label is no column.</exception>
    public static Loss RowTerm<TTerm>(this Tape tape, string name, TTerm term, Tensor logits, RowTermOptions options) where TTerm : struct, IRowTerm
    {
        int rows = options.Halves ? logits.Shape.N / 2 : logits.Shape.N;
        ShapeException.Require(!options.Halves || logits.Shape.N % 2 == 0, name, $"{logits} has no two halves");
        ShapeException.Require(options.Other is null || options.Other.Shape == logits.Shape, name, $"{logits} and {options.Other} differ in size");
        ShapeException.Require(options.Labels is null || options.Labels.Count == logits.Shape.N, name, $"{logits} and {options.Labels?.Count} labels differ in batch size");
        ShapeException.Require(options.Weights is null || options.Weights.Shape.Count == rows, name, $"{logits} and {options.Weights} differ in batch size");
        return Loss.Of(tape.Record(new RowTerm<TTerm>(tape, name, term, logits, rows, options)));
    }
}

internal sealed class RowTerm<TTerm> : LossTerm where TTerm : struct, IRowTerm
{
    private readonly TTerm _term;
    private readonly Edge _z;
    private readonly Edge? _other;
    private readonly Edge? _weights;
    private readonly Labels? _labels;
    private readonly bool _halves;
    private readonly int _rows;

    public RowTerm(Tape tape, string name, TTerm term, Tensor logits, int rows, RowTermOptions options) : base(tape, rows, options.Reduction, name)
    {
        (_term, _rows, _labels, _halves) = (term, rows, options.Labels, options.Halves);
        _z = tape.WireStored(logits);
        if (options.Other is { } other) _other = options.Detach ? new Edge(other, needsGrad: false) : tape.WireStored(other);
        if (options.Weights is { } weights) _weights = new Edge(weights, needsGrad: false);
        Inputs = [.. new[] { _z, _other, _weights }.OfType<Edge>()];
    }

    public override string Op => "RowTerms";
    public override string Detail => Parts[0];
    public override IReadOnlyList<Edge> Inputs { get; }
    public override IEnumerable<Tensor> Saved => Inputs.Select(e => e.Stored);
    private int K => _z.Stored.Shape.C;

    private RowTermOperands Rows =>
        new(_rows, K, _z.Data, _halves ? _z.Data : _other?.Data, _halves ? _rows : 0, _labels?.Data, _weights?.Data);

    public override void Begin() => _labels?.RequireBelow(K, Parts[0]);

    public override void Forward(IKernels k) => k.RowTerms(_term, Rows, Values.Data);

    public override void Backward(IKernels k)
    {
        var (z, add) = (_z.NeedsGrad ? _z.Grad : null, _z.Accumulate);
        var d = _halves ? new RowTermGradients(z, add, z, add)
            : new RowTermGradients(z, add, _other is { NeedsGrad: true } ? _other.Grad : null, _other?.Accumulate ?? false);
        k.RowTermsGradient(_term, Rows, Coefficient, d);
    }
}
