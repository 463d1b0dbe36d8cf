namespace Rpat.Trainer.View;

/// <summary>A finished epoch as a row of columns of fixed width; in a narrow terminal the columns that matter least are left out.</summary>
internal static class EpochLine
{
    private const int Number = 9, Share = 6, Gap = 2;

    /// <summary>The headings and the row.</summary>
    /// <param name="width">The most characters that each may have.</param>
    public static (string Head, string Row) Of(EpochSummary e, int width)
    {
        var columns = Columns(e).ToList();
        foreach (var least in columns.OrderByDescending(column => column.Rank).ToList())
        {
            if (columns.Sum(column => column.Width + Gap) - Gap <= width) break;
            columns.Remove(least);
        }
        return (Joined(columns, column => column.Name), Joined(columns, column => column.Text));
    }

    private static IEnumerable<Column> Columns(EpochSummary e) =>
    [
        new("epoch", e.Epoch.ToString(CultureInfo.InvariantCulture), 0, 0), new("lr", Format.Number(e.Lr), Number, 3),
        new("loss", Format.Number(e.Loss), Number, 0),
        .. e.LossParts.Select(part => new Column(part.Name, Format.Number(part.Value), Number, 4)),
        .. e.Accuracies.Select(a => new Column(a.Name, Format.Percent(a.Value), Share, 1)),
        new("images/s", Format.Number(e.ImagesPerSecond), Share, 5), new("time", Format.Duration(e.Time), Share, 2),
    ];

    private static string Joined(IEnumerable<Column> columns, Func<Column, string> text) =>
        string.Join(new string(' ', Gap), columns.Select(column => text(column).PadLeft(column.Width)));

    private sealed record Column(string Name, string Text, int Least, int Rank)
    {
        public int Width => Math.Max(Math.Max(Least, Name.Length), Text.Length);
    }
}
