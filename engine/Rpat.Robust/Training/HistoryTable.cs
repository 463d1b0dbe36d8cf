namespace Rpat.Robust.Training;

/// <summary>Averaged predictions by image; grows to the largest index that it receives.</summary>
internal sealed class HistoryTable(HistoryRule rule, int classes) : ITrainingState
{
    private const string Name = "table.history";
    private float[] _rows = [];

    /// <summary>Adds predictions from the first stored epoch on, and returns the stored probabilities.</summary>
    public void Fill(ReadOnlySpan<float> logits, ReadOnlySpan<long> samples, in StepContext moment, Span<float> history)
    {
        for (int i = 0; i < samples.Length; i++)
        {
            var row = Row(samples[i]);
            if (moment.Epoch >= rule.Start) Blend(logits.Slice(i * classes, classes), row);
            Normalize(row, history.Slice(i * classes, classes));
        }
    }

    public IEnumerable<NamedArray> State() => [NamedArray.FromFloats(Name, _rows, _rows.Length / classes, classes)];

    public void LoadState(IReadOnlyDictionary<string, NamedArray> state)
    {
        if (!state.TryGetValue(Name, out var rows) || rows.Shape.Length != 2 || rows.Shape[1] != classes)
            throw new CheckpointException($"The training state has no '{Name}' for {classes} classes: it belongs to another run.");
        _rows = rows.ToFloats();
    }

    private Span<float> Row(long sample)
    {
        long end = (sample + 1) * classes;
        if (end > _rows.Length)
            Array.Resize(ref _rows, checked((int)Math.Max(end, Math.Min(2L * _rows.Length, Array.MaxLength / classes * classes))));
        return _rows.AsSpan((int)(sample * classes), classes);
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
