namespace Rpat.Training.Progress;

/// <summary>Progress as lines of <c>key=value</c>, easy to search: no escape codes, no padding, '.' as decimal point.</summary>
internal static class PlainLines
{
    /// <summary>A line for a snapshot.</summary>
    public static string Of(ProgressSnapshot s)
    {
        var line = new StringBuilder();
        Pair(line, "phase", s.Phase.Replace(' ', '-'));
        Pair(line, "epoch", $"{Whole(s.Epoch)}/{Whole(s.Epochs)}");
        Pair(line, "step", $"{Whole(s.Step)}/{Whole(s.Steps)}");
        if (s.Phase == "train") Training(line, s.Lr, s.Loss, s.LossParts);
        Accuracies(line, s.Accuracies);
        Pair(line, "images_per_s", Format.Number(s.ImagesPerSecond));
        if (s.MemoryBytes > 0) Pair(line, "memory_mib", Whole((int)(s.MemoryBytes >> 20)));
        Pair(line, "elapsed", Format.Duration(s.Elapsed));
        Pair(line, "left", Format.Duration(s.Remaining));
        return line.ToString();
    }

    /// <summary>A line for a finished epoch.</summary>
    public static string Of(EpochSummary e)
    {
        var line = new StringBuilder();
        Pair(line, "epoch_done", $"{Whole(e.Epoch)}/{Whole(e.Epochs)}");
        Training(line, e.Lr, e.Loss, e.LossParts);
        Accuracies(line, e.Accuracies);
        Pair(line, "images_per_s", Format.Number(e.ImagesPerSecond));
        Pair(line, "time", Format.Duration(e.Time));
        return line.ToString();
    }

    private static void Training(StringBuilder line, double lr, double loss, IReadOnlyList<Metric> parts)
    {
        Pair(line, "lr", Format.Number(lr));
        Pair(line, "loss", Format.Number(loss));
        foreach (var part in parts) Pair(line, "loss_" + part.Name, Format.Number(part.Value));
    }

    private static void Accuracies(StringBuilder line, IReadOnlyList<Metric> accuracies)
    {
        foreach (var accuracy in accuracies) Pair(line, accuracy.Name, Format.Percent(accuracy.Value));
    }

    private static string Whole(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static void Pair(StringBuilder line, string key, string value)
    {
        if (line.Length > 0) line.Append(' ');
        line.Append(key).Append('=').Append(value);
    }
}
