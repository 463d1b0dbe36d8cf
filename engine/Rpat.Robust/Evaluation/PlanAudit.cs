namespace Rpat.Robust.Evaluation;

/// <summary>Whether a manifest is consistent, and each column is what its label stands for.</summary>
internal static class PlanAudit
{
    /// <summary>What is wrong with a manifest that has the structure of a plan, one sentence each.</summary>
    public static IEnumerable<string> Problems(EvaluationManifest manifest) =>
    [
        .. manifest.Describe().SequenceEqual(manifest.Settings) ? Array.Empty<string>()
            : ["the settings of the manifest are not those of its columns, radii, seed and hashes"],
        .. manifest.Columns.Select(c => Promise(manifest, c)).OfType<string>(),
    ];

    /// <summary>What a name alone does not say.</summary>
    public static IEnumerable<string> Notes(EvaluationManifest manifest)
    {
        foreach (var c in manifest.Columns.Where(c => Promised(manifest, c) is null).DistinctBy(c => c.Suite))
        {
            string stages = string.Join("; ", c.Stages.Select(s => $"{s.Attack} {s.Settings}"));
            yield return $"'{c.Label}' ({c.Suite}) is a column of the evaluation's own: {stages}";
        }
        if (manifest.Transform.Length > 0) yield return $"in front of the network stands {manifest.Transform}";
    }

    /// <summary>The column of the catalog that a label stands for, or null.</summary>
    /// <exception cref="ArgumentException">The label is AutoAttack's, but no version has it, or the
    /// attack does not support the norm.</exception>
    public static AttackSuite? Promised(EvaluationManifest manifest, ColumnPlan column) =>
        AttackCatalog.Promised(
            column.Label, column.Stages.Count == 1 ? column.Stages[0].Settings : "", Norm.Parse(manifest.Norm),
            manifest.EpsValues[column.Eps],
            manifest.Classes);

    /// <summary>What makes a manifest unreadable as a plan, or null.</summary>
    public static string? Shape(EvaluationManifest m)
    {
        if (Norm.All.All(norm => norm.Name != m.Norm)) return $"the manifest's norm '{m.Norm}' is none";
        bool ascend = m.EpsValues.All(e => e > 0) && m.EpsValues.SequenceEqual(m.EpsValues.Distinct().Order());
        if (!ascend || m.Eps.Count == 0 || m.Eps.Count != m.EpsValues.Count)
            return "the manifest's radii do not ascend, or have no text each";
        return m.Version == EvaluationManifest.Layout ? ColumnShape(m) : null;
    }

    private static string? ColumnShape(EvaluationManifest m)
    {
        int each = m.Suites.Count;
        if (m.Columns.Count != each * m.Eps.Count || m.Columns.Where((c, i) => c.Eps != i / each || c.Suite != m.Suites[i % each]).Any())
            return "the manifest's columns are not each of its suites at each of its radii";
        if (!m.Labels.SequenceEqual(m.Columns.Take(each).Select(c => c.Label))) return "the manifest's labels are not those of its columns";
        if (m.Columns.Any(c => c.Passes < 1 || c.Stages.Count == 0
            || c.Stages.Any(s => s.Parts.Count == 0 || s.Parts.Distinct().Count() < s.Parts.Count)))
            return "a column of the manifest has no attacks, or an attack without parts";
        int other = Enumerable.Range(0, m.Eps.Count).FirstOrDefault(i => !Radius.Names(m.Eps[i], m.EpsValues[i]), -1);
        return other < 0 ? null : FormattableString.Invariant(
            $"the radius '{m.Eps[other]}' of the manifest is not the number {m.EpsValues[other]:R}");
    }

    private static string? Promise(EvaluationManifest manifest, ColumnPlan column)
    {
        string where = $"the column '{column.Suite}' at eps {manifest.Eps[column.Eps]}";
        try
        {
            var promised = Promised(manifest, column);
            if (promised is null || Same(ColumnPlan.Of(promised, column.Eps, manifest.Classes), column)) return null;
            return $"{where} is labelled '{column.Label}', but did not run what that name stands for";
        }
        catch (ArgumentException error)
        {
            return $"{where} is labelled '{column.Label}': {error.Message.TrimEnd('.')}";
        }
    }

    private static bool Same(ColumnPlan promised, ColumnPlan column) => promised.Passes == column.Passes
        && promised.Stages.Count == column.Stages.Count
        && promised.Stages.Zip(column.Stages).All(pair => Same(pair.First, pair.Second));

    private static bool Same(StagePlan promised, StagePlan stage) =>
        (promised.Attack, promised.Settings) == (stage.Attack, stage.Settings) && promised.Parts.SequenceEqual(stage.Parts);
}
