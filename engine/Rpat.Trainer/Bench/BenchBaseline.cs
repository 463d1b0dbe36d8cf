namespace Rpat.Trainer.Bench;

/// <summary>A result compared with an earlier one of the same benchmark.</summary>
internal sealed class BenchBaseline(BenchResult before, BenchResult now)
{
    /// <summary>Caveats of the comparison, each without a full stop.</summary>
    public IEnumerable<string> Notes()
    {
        if (before.Machine != now.Machine) yield return $"the baseline was measured on another machine ({before.Machine})";
        if (before.On != now.On) yield return $"the baseline was measured on something else ({before.On})";
        string[] missing = [.. now.Rows.Where(row => Before(row) is null).Select(row => row.Name)];
        if (missing.Length > 0) yield return $"the baseline lacks {string.Join(", ", missing)}";
    }

    /// <summary>One line for each row of both: the ratio to the baseline's median, and both medians.</summary>
    public IEnumerable<string> Lines() =>
        from row in now.Rows
        let old = Before(row)
        where old is not null
        select string.Create(CultureInfo.InvariantCulture,
        $"{row.Median / old.Median,6:F2} x the baseline's time  {row.Name}: {Text(row)} against {Text(old)}");

    /// <summary>A sentence for each row whose median is above the limit, given as a multiple of the baseline's.</summary>
    public IEnumerable<string> Slower(double limit) =>
        from row in now.Rows
        let old = Before(row)
        where old is not null && row.Median > limit * old.Median
        select string.Create(
            CultureInfo.InvariantCulture,
            $"{row.Name} takes {row.Median / old.Median:F2} times the baseline's time where at most {limit} is allowed (--fail-over): "
                + $"{Text(row)} against {Text(old)}.");

    private BenchRow? Before(BenchRow row) => before.Rows.FirstOrDefault(old => old.Name == row.Name);

    private static string Text(BenchRow row) => string.Create(
        CultureInfo.InvariantCulture,
        $"{1e3 * row.Median:G4} ms (median of {row.Seconds.Count}, {1e3 * row.Seconds[0]:G4}–{1e3 * row.Seconds[^1]:G4})");
}
