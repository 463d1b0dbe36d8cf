namespace Rpat.Robust;

/// <summary>A sign that a result may not be what it looks like. None changes a number.</summary>
/// <param name="Flag">Short name, such as <c>zero-gradient</c>.</param>
/// <param name="Message">One sentence: what was seen, and what it may mean.</param>
public sealed record EvaluationWarning(string Flag, string Message);

/// <summary>What is left after an attack of a column.</summary>
/// <param name="Attack">The attack.</param>
/// <param name="Robust">Images still right.</param>
public sealed record StageResult(string Attack, int Robust);

/// <summary>A column of the result at one radius.</summary>
/// <param name="Eps">Number of the radius.</param>
/// <param name="Suite">Name of the column.</param>
/// <param name="Label">What was run.</param>
/// <param name="Robust">Images right under all its attacks.</param>
/// <param name="Stages">What each attack left, in order.</param>
public sealed record ColumnResult(int Eps, string Suite, string Label, int Robust, IReadOnlyList<StageResult> Stages);

/// <summary>The outcome of an evaluation: a function of its ledger alone, self-test and warnings aside.</summary>
/// <param name="Images">Number of images.</param>
/// <param name="CleanCorrect">Images right without an attack.</param>
/// <param name="Columns">By radius, then by column.</param>
/// <param name="Warnings">What to know before trusting it.</param>
/// <param name="SelfTest">How the attacks did against exact optima.</param>
public sealed record EvaluationReport(
    int Images, int CleanCorrect, IReadOnlyList<ColumnResult> Columns, IReadOnlyList<EvaluationWarning> Warnings, IReadOnlyList<SelfTestCase> SelfTest)
{
    /// <summary>Name in the folder.</summary>
    public const string FileName = "result.json";

    /// <summary>Counts a ledger.</summary>
    internal static (int Clean, List<ColumnResult> Columns) Count(IEnumerable<LedgerEntry> entries, EvaluationPlan plan)
    {
        var all = entries.ToList();
        int clean = all.Count(e => e.Eps < 0 && !e.Fooled);
        var columns =
            from eps in Enumerable.Range(0, plan.Radii.Count)
            from suite in plan.Suites
            select Column(all.Where(e => e.Eps == eps && e.Suite == suite.Name && e.Fooled).ToList(), eps, suite, clean);
        return (clean, [.. columns]);
    }

    private static ColumnResult Column(List<LedgerEntry> fooled, int eps, AttackSuite suite, int clean) => new(
        eps, suite.Name, suite.Label, clean - fooled.Count,
        [.. suite.Attacks.Select((attack, stage) => new StageResult(attack.Name, clean - fooled.Count(e => e.Stage <= stage)))]);
}
