namespace Rpat.Trainer.Output;

/// <summary>A table of texts, for a terminal, Markdown, LaTeX or other programs.</summary>
/// <param name="RightFrom">The first column whose cells are aligned to the right in a terminal and in LaTeX.</param>
internal sealed record TextTable(IReadOnlyList<string> Head, IReadOnlyList<IReadOnlyList<string>> Rows, int RightFrom = int.MaxValue)
{
    private const int LeastFirst = 12;

    /// <summary>The names of the formats.</summary>
    public static KnownNames Formats { get; } = new("formats", () => ["text", "md", "latex", "csv"])
    { Short = new Dictionary<string, string> { ["markdown"] = "md", ["tex"] = "latex" } };

    /// <summary>Headings of columns that a narrow terminal does without, the first first.</summary>
    public IReadOnlyList<string> Spare { get; init; } = [];

    /// <summary>Writes the table as a result; in a terminal without the columns for which there is no room, which a note names.</summary>
    public void Show(CommandContext host, string format = "text")
    {
        var shown = format == "text" ? Within(host.OutColumns - 1) : this;
        host.Out.Write(shown.Write(format));
        string[] gone = [.. Head.Except(shown.Head)];
        if (gone.Length > 0) host.Note($"note: no room for {string.Join(", ", gone)}: a wider terminal or a pipe has all columns");
    }

    /// <summary>The table without as many spare columns as it takes to fit, and then with the first
    /// one's cells cut in their middle.</summary>
    /// <param name="width">The most characters of a line.</param>
    public TextTable Within(int width)
    {
        var table = this;
        foreach (string name in Spare)
        {
            if (table.Width <= width) break;
            int column = table.Head.ToList().IndexOf(name);
            if (column >= 0) table = table.Without(column);
        }
        int excess = table.Width - width, first = table.All.Max(row => row[0].Length);
        return excess <= 0 ? table : table with
        { Rows = [.. table.Rows.Select(row => (string[])[Cut(row[0], first - excess), .. row.Skip(1)])] };
    }

    private int Width => Aligned(All.Select(row => row.ToArray()))[0].Sum(cell => cell.Length + 2) - 2;

    // Runs of a sweep differ at the end of their names.
    private static string Cut(string cell, int most)
    {
        most = Math.Max(most, LeastFirst);
        return cell.Length <= most ? cell : $"{cell[..(most / 3)]}…{cell[^(most - most / 3 - 1)..]}";
    }

    private TextTable Without(int column) => this with
    {
        Head = [.. Head.Where((_, c) => c != column)],
        Rows = [.. Rows.Select(row => (string[])[.. row.Where((_, c) => c != column)])],
        RightFrom = column < RightFrom && RightFrom < int.MaxValue ? RightFrom - 1 : RightFrom,
    };

    private IEnumerable<IReadOnlyList<string>> All => Rows.Prepend(Head);

    /// <summary>The table as text that ends with a line break.</summary>
    /// <param name="format">One of <see cref="Formats"/>.</param>
    public string Write(string format) => string.Concat((format switch
    {
        "md" => Markdown(),
        "latex" => Latex(),
        "csv" => All.Select(row => string.Join(',', row.Select(Format.CsvCell))),
        _ => Aligned(All.Select(row => row.Select(Printable.Line).ToArray())).Select(row => string.Join("  ", row).TrimEnd()),
    }).Select(line => line + '\n'));

    private IEnumerable<string> Markdown()
    {
        var rows = Aligned(All.Select(row => row.Select(cell => Printable.Line(cell).Replace("|", "\\|", StringComparison.Ordinal))
            .ToArray()));
        for (int i = 0; i < rows.Count; i++)
        {
            yield return $"| {string.Join(" | ", rows[i])} |";
            if (i == 0)
                yield return $"|{string.Join('|', rows[0].Select((cell, c) => new string('-', cell.Length + (IsRight(c) ? 1 : 2)) + (IsRight(c) ? ":" : "")))}|";
        }
    }

    // In the form of the booktabs package.
    private IEnumerable<string> Latex()
    {
        var rows = Aligned(All.Select(row => row.Select(Tex).ToArray()));
        yield return $"\\begin{{tabular}}{{{string.Concat(Head.Select((_, c) => IsRight(c) ? 'r' : 'l'))}}}";
        yield return "\\toprule";
        for (int i = 0; i < rows.Count; i++)
        {
            yield return $"{string.Join(" & ", rows[i])} \\\\";
            if (i == 0) yield return "\\midrule";
        }
        yield return "\\bottomrule";
        yield return "\\end{tabular}";
    }

    private bool IsRight(int column) => column >= RightFrom;

    private List<string[]> Aligned(IEnumerable<string[]> rows)
    {
        List<string[]> all = [.. rows];
        int[] widths = [.. Enumerable.Range(0, Head.Count).Select(column => all.Max(row => row[column].Length))];
        return [.. all.Select(row => row.Select((cell, c) => IsRight(c) ? cell.PadLeft(widths[c]) : cell.PadRight(widths[c])).ToArray())];
    }

    private static string Tex(string cell) => string.Concat(Printable.Line(cell).Select(c => c switch
    {
        '&' or '%' or '$' or '#' or '_' or '{' or '}' => $"\\{c}",
        '\\' => "\\textbackslash{}",
        '~' => "\\textasciitilde{}",
        '^' => "\\textasciicircum{}",
        '±' => "$\\pm$",
        'ε' => "$\\varepsilon$",
        '∞' => "$\\infty$",
        '–' => "--",
        _ => $"{c}",
    }));
}
