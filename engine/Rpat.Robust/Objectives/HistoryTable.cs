namespace Rpat.Robust.Objectives;

/// <summary>What a method remembers from earlier steps, and hands to each image of a batch as a row.</summary>
internal abstract class HistoryTable(int classes) : ITrainingState
{
    protected int Classes => classes;

    /// <summary>Whether <see cref="Fill"/> takes evaluation-mode logits at the clean images.</summary>
    public virtual bool Looks => false;

    /// <summary>Whether <see cref="Learn"/> takes the step's own logits at the clean images.</summary>
    public virtual bool Learns => false;

    /// <summary>Gives each image of a batch its row <c>[N, K]</c>.</summary>
    /// <param name="logits">Logits <c>[N, K]</c> if the table looks at them, else empty.</param>
    public abstract void Fill(ReadOnlySpan<float> logits, ReadOnlySpan<int> labels, ReadOnlySpan<long> samples, in StepContext moment,
        Span<float> history);

    /// <summary>Takes the logits <c>[N, K]</c> of a step that was made.</summary>
    public virtual void Learn(ReadOnlySpan<float> logits, ReadOnlySpan<int> labels)
    {
    }

    public abstract IEnumerable<NamedArray> State();

    public abstract void LoadState(IReadOnlyDictionary<string, NamedArray> state);

    protected float[] Rows(IReadOnlyDictionary<string, NamedArray> state, string name) =>
        state.TryGetValue(name, out var rows) && rows.Shape.Length == 2 && rows.Shape[1] == classes ? rows.ToFloats()
        : throw new CheckpointException($"The training state has no '{name}' for {classes} classes: it belongs to another run.");

    protected NamedArray Saved(string name, float[] rows) => NamedArray.FromFloats(name, rows, rows.Length / classes, classes);
}

/// <summary>Averaged predictions by image; grows to the largest index that it receives.</summary>
internal sealed class ImageTable(ImageHistory rule, int classes) : HistoryTable(classes)
{
    private const string Name = "table.history";
    private float[] _rows = [];

    public override bool Looks => true;

    public override void Fill(ReadOnlySpan<float> logits, ReadOnlySpan<int> labels, ReadOnlySpan<long> samples, in StepContext moment,
        Span<float> history)
    {
        for (int i = 0; i < samples.Length; i++)
        {
            var row = Row(samples[i]);
            if (moment.Epoch >= rule.Start) Blend(logits.Slice(i * Classes, Classes), row);
            Normalize(row, history.Slice(i * Classes, Classes));
        }
    }

    public override IEnumerable<NamedArray> State() => [Saved(Name, _rows)];

    public override void LoadState(IReadOnlyDictionary<string, NamedArray> state) => _rows = Rows(state, Name);

    private Span<float> Row(long sample)
    {
        long end = (sample + 1) * Classes;
        if (end > _rows.Length)
            Array.Resize(ref _rows, checked((int)Math.Max(end, Math.Min(2L * _rows.Length, Array.MaxLength / Classes * Classes))));
        return _rows.AsSpan((int)(sample * Classes), Classes);
    }

    private void Blend(ReadOnlySpan<float> logits, Span<float> row)
    {
        double norm = RowMath.LogSumExp(logits);
        for (int j = 0; j < row.Length; j++)
            row[j] = (float)(rule.Decay * (double)row[j] + (1 - (double)rule.Decay) * Math.Exp(logits[j] - norm));
    }

    private static void Normalize(ReadOnlySpan<float> row, Span<float> to)
    {
        double sum = 0;
        foreach (float value in row) sum += value;
        for (int j = 0; j < row.Length; j++) to[j] = sum > 0 ? (float)(row[j] / sum) : 1f / row.Length;
    }
}

/// <summary>The mean prediction for each class: of the previous epoch, and so far of the current one.</summary>
internal sealed class ClassTable : HistoryTable
{
    private const string Previous = "table.classes", Current = "table.classes.sums", EpochName = "table.classes.epoch";
    private readonly ClassHistory _rule;
    private float[] _rows;
    private float[] _sums;
    private long _epoch;

    public ClassTable(ClassHistory rule, int classes) : base(classes)
    {
        (_rule, _rows, _sums) = (rule, new float[classes * classes], new float[classes * classes]);
        Array.Fill(_rows, 1f / classes);
    }

    public override bool Learns => true;

    public override void Fill(ReadOnlySpan<float> logits, ReadOnlySpan<int> labels, ReadOnlySpan<long> samples, in StepContext moment,
        Span<float> history)
    {
        if (moment.Epoch != _epoch) Turn(moment.Epoch);
        double squares = 0;
        for (int i = 0; i < labels.Length; i++)
        {
            double sum = 0;
            for (int j = 0; j < Classes; j++)
                sum += history[i * Classes + j] = MathF.Pow(_rows[labels[i] * Classes + j], _rule.Power);
            squares += sum * sum;
        }
        float root = (float)Math.Sqrt(squares / labels.Length);
        foreach (ref float weight in history) weight /= root;
    }

    public override void Learn(ReadOnlySpan<float> logits, ReadOnlySpan<int> labels)
    {
        double scale = 1 / (double)_rule.Temperature;
        for (int i = 0; i < labels.Length; i++)
        {
            var z = logits.Slice(i * Classes, Classes);
            double norm = RowMath.LogSumExp(z, scale);
            for (int j = 0; j < Classes; j++) _sums[labels[i] * Classes + j] += (float)Math.Exp(scale * z[j] - norm);
        }
    }

    public override IEnumerable<NamedArray> State() =>
        [Saved(Previous, _rows), Saved(Current, _sums), NamedArray.FromInt64(EpochName, [_epoch])];

    public override void LoadState(IReadOnlyDictionary<string, NamedArray> state)
    {
        (_rows, _sums) = (Rows(state, Previous), Rows(state, Current));
        _epoch = state[EpochName].ToInt64()[0];
    }

    // A class without images in the epoch keeps its row.
    private void Turn(int epoch)
    {
        for (int k = 0; k < Classes; k++)
        {
            var sums = _sums.AsSpan(k * Classes, Classes);
            float total = 0;
            foreach (float value in sums) total += value;
            for (int j = 0; total > 0 && j < Classes; j++) _rows[k * Classes + j] = sums[j] / total;
            sums.Clear();
        }
        _epoch = epoch;
    }
}
