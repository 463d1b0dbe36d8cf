namespace Rpat.Robust.Evaluation;

/// <summary>An attack of an evaluation: norm, radius as it was written, column.</summary>
public sealed record Threat(string Norm, string Eps, string Suite)
{
    /// <summary>What the column runs: threats of other settings are others, whatever their names.</summary>
    public string Settings { get; init; } = "";

    /// <inheritdoc/>
    public override string ToString() => $"{Suite} {Norm} {Eps}";
}

/// <summary>How many images one network gets right under several threat models, and under all of them at once.</summary>
/// <param name="Model">The network's file.</param>
/// <param name="Clean">Images correct without an attack.</param>
/// <param name="Robust">Images that each threat leaves correct.</param>
/// <param name="Union">Images that every threat leaves correct: the worst case of each image.</param>
public sealed record ThreatUnion(string Model, string ModelHash, int Images, int Clean, IReadOnlyList<(Threat Threat, int Robust)> Robust,
    int Union)
{
    /// <summary>The mean accuracy over the threats, from 0 to 1.</summary>
    public double Mean => Robust.Average(column => (double)column.Robust / Images);

    /// <summary>
    /// The mean over the threats of this network's accuracy as a share of the best network's among the given ones: the competitiveness
    /// ratio of individual attacks (Dai et al., ICML'23, MultiRobustBench).
    /// </summary>
    public double Competitiveness(IReadOnlyList<ThreatUnion> all) => Robust.Average(column =>
    {
        int best = all.Max(other => other.Robust.First(c => c.Threat == column.Threat).Robust);
        return best == 0 ? 1 : (double)column.Robust / best;
    });

    /// <summary>Joins the ledgers of finished evaluations, one result per network, in the order of the folders.</summary>
    /// <exception cref="DataException">A folder has none, it is damaged, or the evaluations are not
    /// of the same images and threats.</exception>
    public static IReadOnlyList<ThreatUnion> Of(IReadOnlyList<string> folders)
    {
        var read = folders
            .Select(folder => (Folder: folder, Manifest: EvaluationManifest.Read(folder), Ledger: Ledger.Read(folder))).ToList();
        var (first, images, _) = read[0];
        if (read.FirstOrDefault(other => other.Manifest.DataHash != images.DataHash) is { Folder: { } strange })
            throw new DataException($"'{strange}' is of other images than '{first}': evaluate the same ones.");
        // A radius may be written in several ways.
        var radii = read.SelectMany(one => one.Manifest.EpsValues.Zip(one.Manifest.Eps)).DistinctBy(radius => radius.First).ToDictionary();
        var unions = read.GroupBy(one => one.Manifest.ModelHash)
            .Select(of => Join(of.First().Manifest, of.SelectMany(one => Columns(one.Manifest, one.Ledger, radii)))).ToList();
        if (unions[0].Robust.Count == 0)
            throw new DataException($"'{first}' has no attack, and a union is one of attacks: give evaluations that have some.");
        var threats = unions[0].Robust.Select(column => column.Threat).ToHashSet();
        return unions.FirstOrDefault(other => !threats.SetEquals(other.Robust.Select(c => c.Threat))) is { } lacking
            ? throw new DataException($"'{lacking.Model}' and '{unions[0].Model}' are not measured under the same threats: "
                + $"{Told(threats)} against {Told(lacking.Robust.Select(column => column.Threat))}.")
            : unions;

        static string Told(IEnumerable<Threat> threats) => string.Join(", ", threats.Select(threat => $"{threat} ({threat.Settings})"));
    }

    private static ThreatUnion Join(EvaluationManifest manifest, IEnumerable<(Threat? Threat, HashSet<int> Correct)> columns)
    {
        // The same threat measured twice counts as one: what either breaks is broken.
        var all = columns.GroupBy(c => c.Threat)
            .Select(same => (Threat: same.Key, Correct: Intersection(same.Select(c => c.Correct)))).ToList();
        int clean = all.First(c => c.Threat is null).Correct.Count;
        return new(manifest.Model, manifest.ModelHash, manifest.Images, clean,
            [.. all.Where(c => c.Threat is not null).Select(c => (c.Threat!, c.Correct.Count))],
            Intersection(all.Select(c => c.Correct)).Count);
    }

    private static IEnumerable<(Threat? Threat, HashSet<int> Correct)> Columns(
        EvaluationManifest manifest, IReadOnlyList<LedgerEntry> ledger, IReadOnlyDictionary<double, string> radii)
    {
        int[] clean = [.. ledger.Where(e => e.Eps < 0 && !e.Fooled).Select(e => e.Sample)];
        yield return (null, [.. clean]);
        var fooled = ledger.Where(e => e is { Eps: >= 0, Fooled: true }).ToLookup(e => (e.Eps, e.Suite), e => e.Sample);
        foreach (var c in manifest.Columns)
            yield return (new Threat(manifest.Norm, radii[manifest.EpsValues[c.Eps]], c.Suite) { Settings = SettingsOf(c) },
                [.. clean.Except(fooled[(c.Eps, c.Suite)])]);
    }

    private static string SettingsOf(ColumnPlan column) =>
        string.Join("; ", column.Stages.Select(stage => $"{stage.Attack} {stage.Settings}").Prepend(column.Label).Distinct());

    private static HashSet<int> Intersection(IEnumerable<HashSet<int>> sets) =>
        sets.Aggregate((HashSet<int>?)null, (common, set) => common is null ? [.. set] : [.. common.Intersect(set)])!;
}
