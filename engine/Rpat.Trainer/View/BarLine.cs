namespace Rpat.Trainer.View;

/// <summary>
/// The line below the live table: <c>epoch 2/3 [=======> ] 47/94 311 images/s left 1m20s lr 0.1 loss 1.512 (adv 1.43 + rpat 0.08) clean
/// 61.20</c>.
/// </summary>
internal static class BarLine
{
    private const int Cells = 24;

    /// <summary>The line for a snapshot; parts that are empty are left out.</summary>
    public static string Of(ProgressSnapshot s)
    {
        var line = new StringBuilder(FormattableString.Invariant($"{Head(s)}  {Bar(s.Step, s.Steps)} {s.Step}/{s.Steps}"));
        line.Append(FormattableString.Invariant($"  {Format.Number(s.ImagesPerSecond)} images/s  left {Format.Duration(s.Remaining)}"));
        if (s.Phase == "train") line.Append($"  lr {Format.Number(s.Lr)}  loss {Format.Number(s.Loss)}{Parts(s.LossParts)}");
        foreach (var accuracy in s.Accuracies) line.Append($"  {accuracy.Name} {Format.Percent(accuracy.Value)}");
        if (s.MemoryBytes > 0) line.Append($"  mem {Format.Memory(s.MemoryBytes)}");
        return line.ToString();
    }

    /// <summary>A bar of fixed length: <c>[=====&gt;      ]</c>.</summary>
    public static string Bar(int done, int all)
    {
        int filled = all <= 0 ? 0 : (int)((long)Math.Clamp(done, 0, all) * Cells / all);
        string head = filled == Cells ? new string('=', Cells) : new string('=', filled) + '>';
        return $"[{head.PadRight(Cells)[..Cells]}]";
    }

    private static string Head(ProgressSnapshot s) =>
        s.Phase == "train" ? FormattableString.Invariant($"epoch {s.Epoch}/{s.Epochs}") : s.Phase;

    private static string Parts(IReadOnlyList<Metric> parts) =>
        parts.Count == 0 ? "" : $" ({string.Join(" + ", parts.Select(part => $"{part.Name} {Format.Number(part.Value)}"))})";
}
