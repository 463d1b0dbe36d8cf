namespace Rpat.Trainer.Reproduce;

/// <summary>One line of the table: a method with the results of its runs.</summary>
internal sealed record ReproduceRow(string Method, string Recipe, IReadOnlyList<ReproduceScore> Scores, IReadOnlyList<string> Failures)
{
    /// <summary>The published result of the recipe, or null; quick recipes have none.</summary>
    public PublishedResult? Published => RecipeLibrary.Published(Recipe);

    /// <summary>A column over the runs.</summary>
    public Spread SpreadOf(int column) => Spread.Of([.. Scores.Select(s => s.Columns[column].Value)]);
}

/// <summary>The paper's table for the trained methods: as text in Markdown, which a terminal shows as well, and as JSON.</summary>
internal static class ReproduceTable
{
    private static readonly string[] _published = ["Clean", "AA", "Mean", "NRR"];

    private static readonly JsonSerializerOptions _format = new()
    { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>The table in Markdown, columns aligned.</summary>
    public static string Markdown(IReadOnlyList<ReproduceRow> rows)
    {
        bool published = rows.Any(r => r.Published is not null), seeds = rows.Any(r => r.Scores.Count > 1);
        var table = new TextTable([.. Heading(rows, published, seeds)], [.. rows.Select(r => Cells(r, published, seeds).ToArray())]);
        return $"{table.Write("md")}\n{Footer(rows)}";
    }

    /// <summary>Writes both files into the folder, each as one step.</summary>
    public static void Write(string folder, IReadOnlyList<ReproduceRow> rows)
    {
        AtomicFile.WriteText(Path.Combine(folder, "table.md"), Markdown(rows));
        AtomicFile.WriteText(Path.Combine(folder, "table.json"), JsonSerializer.Serialize(Json(rows), _format) + "\n");
    }

    /// <summary>The table as an object, for JSON.</summary>
    public static object Json(IReadOnlyList<ReproduceRow> rows) => rows.Select(Json);

    private static IEnumerable<string> Heading(IReadOnlyList<ReproduceRow> rows, bool published, bool seeds) =>
        ["method", .. seeds ? ["runs"] : Array.Empty<string>(), .. Titles(rows), .. published ? _published.Select(t => $"{t} published") : []];

    // The attack's own name where it is no AutoAttack; the same for all rows.
    private static string[] Titles(IReadOnlyList<ReproduceRow> rows) =>
        ["Clean", rows.SelectMany(r => r.Scores).Select(s => AttackTitle.Of(s.Label)).FirstOrDefault("AA"), "Mean", "NRR"];

    private static IEnumerable<string> Cells(ReproduceRow row, bool published, bool seeds)
    {
        string[] own = row.Scores.Count > 0
            ? [.. Enumerable.Range(0, _published.Length).Select(column => Cell(row, column))]
            : [row.Failures.Count > 0 ? $"failed: {row.Failures[0]}" : "not done", "", "", ""];
        var p = row.Published;
        string[] theirs = p is null ? ["", "", "", ""] : [Percent(p.Clean), Percent(p.Aa), Percent(p.Mean), Percent(p.Nrr)];
        string runs = row.Scores.Count.ToString(CultureInfo.InvariantCulture);
        return [row.Method, .. seeds ? [runs] : Array.Empty<string>(), .. own, .. published ? theirs : []];
    }

    private static string Cell(ReproduceRow row, int column)
    {
        if (row.Scores.Count > 1) return row.SpreadOf(column).Percent("F1");
        var e = row.Scores[0].Columns[column];
        return $"{Percent(100 * e.Value)} ({Percent(100 * e.Low)}–{Percent(100 * e.High)})";
    }

    private static string Footer(IReadOnlyList<ReproduceRow> rows)
    {
        var scores = rows.SelectMany(r => r.Scores).ToList();
        if (scores.Count == 0) return "";
        string images = string.Join(", ", scores.Select(s => s.Images).Distinct()),
            labels = string.Join("; ", scores.Select(s => $"{AttackTitle.Of(s.Label)}: {s.Label}, {s.Threat}").Distinct());
        string spread = rows.Any(r => r.Scores.Count > 1) ? "mean ± standard deviation over the runs where there are several, else " : "";
        return $"In percent on {images} held-out images; {spread}95 % intervals of the images drawn (Wilson; those of Mean and NRR "
            + $"hold both accuracies at once). {labels}.\n";
    }

    private static object Json(ReproduceRow row) => new
    {
        row.Method,
        row.Recipe,
        runs = row.Scores.Select(s => new
        {
            s.Images,
            s.CleanCorrect,
            s.Robust,
            s.Label,
            s.Threat,
            columns = s.Columns.Zip(Titles([row]), (e, title) => new { title, e.Value, e.Low, e.High })
        }),
        row.Failures,
        published = row.Published is { } p ? new { p.Row, p.Clean, aa = Finite(p.Aa), mean = Finite(p.Mean), nrr = Finite(p.Nrr) } : null,
    };

    private static double? Finite(double value) => double.IsFinite(value) ? value : null;

    private static string Percent(double value) => double.IsFinite(value) ? value.ToString("F1", CultureInfo.InvariantCulture) : "";
}
