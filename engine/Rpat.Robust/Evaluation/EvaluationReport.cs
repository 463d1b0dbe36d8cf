namespace Rpat.Robust.Evaluation;

/// <summary>A sign that a result may be misleading. None changes a number.</summary>
/// <param name="Flag">Short name, such as <c>zero-gradient</c>.</param>
/// <param name="Message">One sentence: what was observed, and what it may mean.</param>
public sealed record EvaluationWarning(string Flag, string Message);

/// <summary>How many images survive an attack of a column.</summary>
public sealed record StageResult(string Attack, int Robust);

/// <summary>A column of the result at one radius.</summary>
/// <param name="Eps">Its place among the plan's radii, from 0.</param>
/// <param name="Robust">Images correct under all its attacks.</param>
/// <param name="Stages">How many images survived each attack, in order.</param>
public sealed record ColumnResult(int Eps, string Suite, string Label, int Robust, IReadOnlyList<StageResult> Stages);

/// <summary>The outcome of an evaluation: a function of its ledger alone, except for self-test and warnings.</summary>
/// <param name="CleanCorrect">Images correct without an attack.</param>
/// <param name="Columns">By radius, then by column.</param>
/// <param name="Warnings">What to consider before trusting it.</param>
/// <param name="SelfTest">How the attacks performed against exact optima.</param>
public sealed record EvaluationReport(
    int Images, int CleanCorrect, IReadOnlyList<ColumnResult> Columns, IReadOnlyList<EvaluationWarning> Warnings,
    IReadOnlyList<SelfTestCase> SelfTest)
{
    /// <summary>Name in the folder.</summary>
    public const string FileName = "result.json";

    /// <summary>Reads the result of a finished evaluation.</summary>
    /// <exception cref="DataException">It is missing or damaged.</exception>
    internal static EvaluationReport Read(string folder)
    {
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path)) throw new DataException($"'{folder}' has no {FileName}: finish the evaluation with resume: true first.");
        try
        {
            return JsonSerializer.Deserialize<EvaluationReport>(EvaluationFiles.Text(path), EvaluationManifest.Format)
                ?? throw new JsonException("it is empty");
        }
        catch (JsonException error)
        {
            throw new DataException($"'{path}' is damaged: run the evaluation again.", error);
        }
    }

    /// <summary>Where the result differs from its ledger, one sentence each.</summary>
    internal IEnumerable<string> Differences(EvaluationManifest manifest, int clean, IReadOnlyList<ColumnResult> counted)
    {
        if (clean != CleanCorrect || manifest.Images != Images)
            yield return $"the report counts {CleanCorrect} of {Images} clean, the ledger {clean} of {manifest.Images}";
        if (Columns.Count != counted.Count) yield return $"the report has {Columns.Count} columns, the evaluation {counted.Count}";
        foreach (var (told, found) in Columns.Zip(counted))
            if (JsonSerializer.Serialize(told) != JsonSerializer.Serialize(found))
                yield return $"the report says {Text(told, manifest)}, the ledger {Text(found, manifest)}";
    }

    private static string Text(ColumnResult c, EvaluationManifest manifest) =>
        $"of '{c.Suite}' ({c.Label}) {c.Robust} robust at eps {manifest.Eps.ElementAtOrDefault(c.Eps)}: {string.Join(", ", c.Stages.Select(s => $"{s.Robust} after {s.Attack}"))}";

    /// <summary>Counts the results of a ledger.</summary>
    internal static (int Clean, List<ColumnResult> Columns) Count(IEnumerable<LedgerEntry> entries, IEnumerable<ColumnPlan> columns)
    {
        var fooled = entries.Where(e => e is { Eps: >= 0, Fooled: true }).ToLookup(e => (e.Eps, e.Suite));
        int clean = entries.Count(e => e.Eps < 0 && !e.Fooled);
        return (clean, [.. columns.Select(column => Column([.. fooled[(column.Eps, column.Suite)]], column, clean))]);
    }

    private static ColumnResult Column(List<LedgerEntry> fooled, ColumnPlan column, int clean) => new(
        column.Eps, column.Suite, column.Label, clean - fooled.Count,
        [.. column.Stages.Select((s, stage) => new StageResult(s.Attack, clean - fooled.Count(e => e.Stage <= stage)))]);
}
