namespace Rpat.Robust;

/// <summary>Whether a manifest says one thing throughout, and each column is what its label promises.</summary>
internal static class PlanAudit
{
    /// <summary>What is wrong with a manifest that has a plan's shape, a sentence each.</summary>
    public static IEnumerable<string> Problems(EvaluationManifest manifest) =>
    [
        .. manifest.Describe().SequenceEqual(manifest.Settings) ? Array.Empty<string>() : ["the settings of the manifest are not those of its columns, radii, seed and hashes"],
        .. manifest.Columns.Select(c => Promise(manifest, c)).OfType<string>(),
    ];

    /// <summary>What a name does not tell by itself.</summary>
    public static IEnumerable<string> Notes(EvaluationManifest manifest)
    {
        var norm = Norm.Parse(manifest.Norm);
        foreach (var c in manifest.Columns.Where(c => AttackCatalog.Promised(c, norm, manifest.EpsValues[c.Eps], manifest.Classes) is null).DistinctBy(c => c.Suite))
            yield return $"'{c.Label}' ({c.Suite}) is a column of the evaluation's own: {string.Join("; ", c.Stages.Select(s => $"{s.Attack} {s.Settings}"))}";
        if (manifest.Transform.Length > 0) yield return $"in front of the network stands {manifest.Transform}";
    }

    /// <summary>What makes a manifest unreadable as a plan, or null.</summary>
    public static string? Shape(EvaluationManifest m)
    {
        if (m.Norm is not ("linf" or "l2")) return $"the manifest's norm '{m.Norm}' is none";
        if (m.Eps.Count == 0 || m.Eps.Count != m.EpsValues.Count || m.EpsValues.Any(e => !(e > 0)) || !m.EpsValues.SequenceEqual(m.EpsValues.Distinct().Order()))
            return "the manifest's radii do not ascend, or have no text each";
        return m.Version == EvaluationManifest.Layout ? ColumnShape(m) : null;
    }

    private static string? ColumnShape(EvaluationManifest m)
    {
        int each = m.Suites.Count;
        if (m.Columns.Count != each * m.Eps.Count || m.Columns.Where((c, i) => c.Eps != i / each || c.Suite != m.Suites[i % each]).Any())
            return "the manifest's columns are not each of its suites at each of its radii";
        if (!m.Labels.SequenceEqual(m.Columns.Take(each).Select(c => c.Label))) return "the manifest's labels are not those of its columns";
        if (m.Columns.Any(c => c.Passes < 1 || c.Stages.Count == 0 || c.Stages.Any(s => s.Parts.Count == 0 || s.Parts.Distinct().Count() != s.Parts.Count)))
            return "a column of the manifest has no attacks, or an attack without parts";
        return m.Eps.Zip(m.EpsValues, (text, value) => (text, value)).Where(r => !Radius.Names(r.text, r.value)).Select(r => FormattableString.Invariant($"the radius '{r.text}' of the manifest is not the number {r.value:R}")).FirstOrDefault();
    }

    private static string? Promise(EvaluationManifest manifest, ColumnPlan column)
    {
        string where = $"the column '{column.Suite}' at eps {manifest.Eps[column.Eps]}";
        try
        {
            var promised = AttackCatalog.Promised(column, Norm.Parse(manifest.Norm), manifest.EpsValues[column.Eps], manifest.Classes);
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
        && promised.Stages.Zip(column.Stages).All(pair => pair.First.Attack == pair.Second.Attack && pair.First.Settings == pair.Second.Settings && pair.First.Parts.SequenceEqual(pair.Second.Parts));
}
