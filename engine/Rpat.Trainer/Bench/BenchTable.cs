namespace Rpat.Trainer.Bench;

/// <summary>Prints the result of a benchmark of the step.</summary>
internal static class BenchTable
{
    private const double LeastShare = 0.002;

    /// <summary>One line per item: median and range of the rounds.</summary>
    /// <param name="each">What one run handles: a batch, the set.</param>
    public static void WriteItem(BenchRow row, string each, int width, TextWriter output) =>
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{row.Name.PadRight(width)} {row.Images / row.Median,9:F1} images/s  {row.Median * 1e3,9:F2} ms {each}  (median of "
                + $"{row.Seconds.Count}, {row.Seconds[0] * 1e3:F2}–{row.Seconds[^1] * 1e3:F2} ms)"));

    /// <summary>Shares of an item's time: by kind of node, then by kind and size; time outside all nodes comes last.</summary>
    public static void WriteProfile(TapeProfile profile, double total, int repetitions, TextWriter output)
    {
        var rows = profile.Rows;
        var kinds = rows.GroupBy(row => (row.Key.Backward, Name: $"{row.Key.Op} {row.Key.Detail}".TrimEnd()))
            .Select(group => (Name(group.Key.Backward, group.Key.Name), Seconds: group.Sum(row => row.Time.Seconds),
            Calls: group.Sum(row => row.Time.Calls)));
        output.WriteLine("  by kind:");
        foreach (var (name, seconds, calls) in kinds.OrderByDescending(kind => kind.Seconds)) WriteRow(name, seconds, calls, total,
            repetitions, output);
        WriteRow("outside of the tapes: uploads, attack steps, optimizer", total - rows.Sum(row => row.Time.Seconds), repetitions, total,
            repetitions, output);
        output.WriteLine("  by size:");
        foreach (var (key, time) in rows.Where(row => row.Time.Seconds >= LeastShare * total))
            WriteRow(key.Text, time.Seconds, time.Calls, total, repetitions, output);
    }

    private static string Name(bool backward, string kind) => (backward ? "backward " : "forward  ") + kind;

    private static void WriteRow(string name, double seconds, int calls, double total, int repetitions, TextWriter output) =>
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  {seconds / total,6:P1} {seconds / repetitions * 1e3,10:F3} ms {calls / repetitions,6} "
                + $"{(calls == repetitions ? "call " : "calls")}  {name}"));
}
