namespace Rpat.Trainer.View;

/// <summary>
/// The line that shows progress: <c>epoch 2/3  [=======> ] 47/94  311 images/s  left 1m20s  lr
/// 0.1  loss 1.512 (adv 1.43 + rpat 0.08)  clean
/// 61.20</c>. Where it is wider than the terminal, what matters least goes first.
/// </summary>
internal static class BarLine
{
    private const int Cells = 24, FewCells = 10;

    /// <summary>The line for a snapshot; parts that are empty are left out.</summary>
    /// <param name="width">The most characters it may have.</param>
    public static string Of(ProgressSnapshot s, int width = int.MaxValue)
    {
        var parts = Parts(s).ToList();
        string[] shown = [.. parts.Select(part => part.Forms[0].Text)];
        var cuts = parts.SelectMany((part, i) => part.Forms.Skip(1).Select(form => (form.Rank, Part: i, form.Text)))
            .OrderByDescending(cut => cut.Rank).ThenByDescending(cut => cut.Part);
        foreach (var (_, part, text) in cuts)
        {
            if (Joined(shown).Length <= width) break;
            shown[part] = text;
        }
        string line = Joined(shown);
        return line.Length <= width ? line : line[..Math.Max(0, width)];
    }

    /// <summary>A bar of fixed length: <c>[=====&gt;      ]</c>.</summary>
    public static string Bar(int done, int all, int cells = Cells)
    {
        int filled = all <= 0 ? 0 : (int)((long)Math.Clamp(done, 0, all) * cells / all);
        string head = filled == cells ? new string('=', cells) : new string('=', filled) + '>';
        return $"[{head.PadRight(cells)[..cells]}]";
    }

    // Forms from the longest to the shortest; the form of the highest rank is taken first.
    private static IEnumerable<Part> Parts(ProgressSnapshot s)
    {
        string count = FormattableString.Invariant($"{s.Step}/{s.Steps}"), loss = $"loss {Format.Number(s.Loss)}";
        string terms = string.Join(" + ", s.LossParts.Select(part => $"{part.Name} {Format.Number(part.Value)}"));
        yield return new((0, s.Phase == "train" ? FormattableString.Invariant($"epoch {s.Epoch}/{s.Epochs}") : s.Phase));
        yield return new((0, $"{Bar(s.Step, s.Steps)} {count}"), (6, $"{Bar(s.Step, s.Steps, FewCells)} {count}"), (2, count));
        yield return new((0, $"{Format.Number(s.ImagesPerSecond)} images/s"), (3, ""));
        yield return new((0, $"left {Format.Duration(s.Remaining)}"), (1, ""));
        if (s.Phase == "train") yield return new((0, $"lr {Format.Number(s.Lr)}"), (7, ""));
        if (s.Phase == "train") yield return new((0, terms.Length > 0 ? $"{loss} ({terms})" : loss), (8, loss), (4, ""));
        foreach (var accuracy in s.Accuracies) yield return new((0, $"{accuracy.Name} {Format.Percent(accuracy.Value)}"), (5, ""));
        if (s.MemoryBytes > 0) yield return new((0, $"mem {Format.Memory(s.MemoryBytes)}"), (9, ""));
    }

    private static string Joined(IEnumerable<string> parts) => string.Join("  ", parts.Where(part => part.Length > 0));

    private readonly struct Part(params (int Rank, string Text)[] forms)
    {
        public (int Rank, string Text)[] Forms => forms;
    }
}
