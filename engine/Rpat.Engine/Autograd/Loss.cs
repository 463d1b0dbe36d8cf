namespace Rpat.Engine.Autograd;

/// <summary>How a loss term turns per-sample values into a number.</summary>
public enum Reduction
{
    /// <summary>Mean over the batch: training.</summary>
    Mean,

    /// <summary>Sum over the batch: attacks, whose gradients must not depend on the batch size.</summary>
    Sum,
}

/// <summary>
/// A loss: one value per sample and part, reduced over the batch. It is a root of the backward pass; its <see cref="Weight"/> may change
/// between runs (coefficient schedules) without recording again.
/// </summary>
public abstract class LossTerm : Node
{
    private readonly Reduction _reduction;
    private readonly BatchShard? _share; // null for sums, which cover this shard only
    private float[] _read = [];
    private float[] _whole = [];
    private bool _held;

    /// <summary>Allocates the values, one per sample and part, which the derived class computes.</summary>
    protected LossTerm(Tape tape, int samples, Reduction reduction, params string[] parts)
    {
        (_reduction, Parts, _share) = (reduction, parts, reduction == Reduction.Mean ? tape.Shard : null);
        Values = tape.NewTensor(new Shape(parts.Length, samples), Layout.Plain, "loss");
        Outputs = [Values];
        tape.Retain(Values);
    }

    /// <summary>Coefficient of the term in the total.</summary>
    public float Weight { get; set; } = 1;

    /// <summary>Names of the parts of the total.</summary>
    public IReadOnlyList<string> Parts { get; }

    /// <summary>Per-sample values <c>[parts, N]</c>.</summary>
    public Tensor Values { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<Tensor> Outputs { get; }

    /// <inheritdoc/>
    public override bool StartsBackward => true;

    /// <inheritdoc/>
    public override float CapturedScalar => Weight;

    /// <summary>The factor of each sample's gradient.</summary>
    protected float Coefficient => _reduction == Reduction.Mean ? Weight / Rows : Weight;

    /// <summary>Samples of the batch; of the whole batch if processes share it.</summary>
    private int Rows => _share?.GlobalRows(Values.Shape.C) ?? Values.Shape.C;

    /// <summary>Coefficient of a part within the term.</summary>
    protected virtual float PartWeight(int part) => 1;

    /// <summary>
    /// The reduced value of one part, without <see cref="Weight"/>; valid after a forward run or, if processes share the batch, after
    /// <see cref="Hold"/>.
    /// </summary>
    /// <exception cref="InvalidOperationException">Processes share the batch and have not all called <see cref="Hold"/>.</exception>
    public double ReadPart(int part)
    {
        int n = Rows;
        if (!_held && _share is not null)
            throw new InvalidOperationException("A loss that processes share is read after all of them have called Hold.");
        if (!_held) Fetch();
        double sum = 0;
        foreach (float value in (_share is null ? _read : _whole).AsSpan(part * n, n)) sum += value;
        return _reduction == Reduction.Mean ? sum / n : sum;
    }

    /// <summary>
    /// Reads the values now, so that they can be asked for after another tape has run; once called, it must be called after each run. If
    /// processes share the batch, each gets the values of all, so all must call it.
    /// </summary>
    public void Hold()
    {
        Fetch();
        _held = true;
    }

    /// <summary>The weighted value of the term; valid after a forward run.</summary>
    public double Read()
    {
        double sum = 0;
        for (int part = 0; part < Parts.Count; part++) sum += PartWeight(part) * ReadPart(part);
        return Weight * sum;
    }

    private void Fetch()
    {
        if (_read.Length == 0) _read = new float[Values.Shape.Count];
        Values.CopyTo(_read);
        if (_share is not null) Gather(_share);
    }

    private void Gather(BatchShard share)
    {
        int mine = Values.Shape.C, all = Rows;
        if (_whole.Length == 0) _whole = new float[Parts.Count * all];
        for (int part = 0; part < Parts.Count; part++)
            share.Gather<float>(_read.AsSpan(part * mine, mine), 1, _whole.AsSpan(part * all, all));
    }
}

/// <summary>A weighted sum of loss terms.</summary>
public sealed class Loss
{
    private Loss(IReadOnlyList<LossTerm> terms) => Terms = terms;

    /// <summary>The terms, in the order in which they were recorded.</summary>
    public IReadOnlyList<LossTerm> Terms { get; }

    /// <summary>The loss of one term.</summary>
    public static Loss Of(LossTerm term) => new([term]);

    /// <summary>The sum of two losses.</summary>
    /// <exception cref="InvalidOperationException">They have a term in common, or are of two tapes.</exception>
    public static Loss operator +(Loss a, Loss b)
    {
        if (a.Terms.Intersect(b.Terms).Any())
            throw new InvalidOperationException("A term occurs twice in a sum of losses: multiply it by a number instead.");
        return a.Terms[0].Values.Maker == b.Terms[0].Values.Maker ? new([.. a.Terms, .. b.Terms])
            : throw new InvalidOperationException("Losses of two tapes have no sum: record both on one tape, or add what Read returns.");
    }

    /// <summary>
    /// Multiplies the weight of every term, and returns the same loss: the backward pass is that of all terms of the tape, each with its
    /// weight, so a loss has one weight wherever it occurs.
    /// </summary>
    /// <exception cref="ArgumentException">The weight is NaN.</exception>
    public static Loss operator *(float weight, Loss loss)
    {
        if (float.IsNaN(weight)) throw new ArgumentException("The weight of a loss is NaN: give a number.");
        foreach (var term in loss.Terms) term.Weight *= weight;
        return loss;
    }

    /// <inheritdoc cref="LossTerm.Hold"/>
    public void Hold()
    {
        foreach (var term in Terms) term.Hold();
    }

    /// <summary>The total; valid after a forward run.</summary>
    public double Read()
    {
        double sum = 0;
        for (int i = 0; i < Terms.Count; i++) sum += Terms[i].Read();
        return sum;
    }
}
