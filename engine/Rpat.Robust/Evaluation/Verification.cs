namespace Rpat.Robust.Evaluation;

/// <summary>What re-checking an evaluation from its files alone found.</summary>
/// <param name="Digest">The digest of all files, SHA-256; empty if the folder has none.</param>
/// <param name="Examples">Number of adversarial images checked.</param>
/// <param name="Problems">One sentence each; none when the evaluation is valid.</param>
/// <param name="Columns">The columns as recounted from the ledger.</param>
/// <param name="Notes">What a reader of the columns must know, one sentence each.</param>
public sealed record Verification(
    string Digest, int Examples, IReadOnlyList<string> Problems, IReadOnlyList<ColumnResult> Columns, IReadOnlyList<string> Notes)
{
    /// <summary>
    /// Checks a finished evaluation against itself and the network: every file against the digest; that each column ran what its label
    /// says; that each correct image has a line for every part of every attack, up to the one that succeeded; each adversarial
    /// image's norm in double, box, digest and class, at another batch size than the evaluation's; one image of each column of the catalog,
    /// computed again; and the result against all that. That a failed attack was run is known only from its line, unless it is rerun: there
    /// is no signature.
    /// </summary>
    /// <param name="modelHash">SHA-256 of its file; of a network in memory the values are compared, and it is not needed.</param>
    /// <param name="transform">A step before the network that belongs to the defence, or null.</param>
    /// <param name="rerun">Number of further lines, drawn at random, whose attacks are run again.</param>
    /// <exception cref="DataException">Files are missing or damaged.</exception>
    public static Verification Run(
        string folder, Classifier net, string modelHash = "", int batch = 37, InputTransform? transform = null, int rerun = 0)
    {
        ArgumentNullException.ThrowIfNull(net);
        var manifest = ManifestOf(folder);
        var files = new EvaluationFiles(folder);
        var ledger = Ledger.Read(folder);
        var report = EvaluationReport.Read(folder);
        List<string> problems = PlanAudit.Shape(manifest) is { } flaw ? [flaw] : [.. Bound(manifest, files, net, modelHash, transform)];
        if (problems.Count > 0) return new Verification("", 0, problems, report.Columns, []); // nothing below would be about this network
        bool whole = manifest.Version == EvaluationManifest.Layout;
        if (whole) problems.AddRange([.. Seal.Problems(folder, manifest), .. PlanAudit.Problems(manifest),
            .. JournalProblems(folder, ledger)]);
        else problems.Add(OldLayout);
        var model = new VerifiedModel(net, files, manifest, batch, transform);
        problems.AddRange([.. whole ? new LedgerAudit(manifest, ledger).Problems() : [], .. PictureAudit.Problems(model, ledger, whole)]);
        var (clean, columns) = EvaluationReport.Count(ledger, whole ? manifest.Columns : report.Columns.Select(ColumnOf));
        problems.AddRange(report.Differences(manifest, clean, columns));
        if (whole && problems.Count == 0)
            problems.AddRange([.. WarningAudit.Problems(model, ledger, report), .. RerunAudit.Problems(model, ledger, rerun)]);
        string digest = whole && File.Exists(Path.Combine(folder, Seal.FileName)) ? Seal.DigestOf(folder) : "";
        int examples = ledger.Count(e => e is { Eps: >= 0, Fooled: true });
        return new Verification(digest, examples, problems, columns, problems.Count == 0 ? [.. PlanAudit.Notes(manifest)] : []);
    }

    private const string OldLayout =
        "the folder is of layout 1, which has no digest and does not list what each attack went through: that no "
        + "file was changed, that a column ran what its label says, and that its attacks ran on every image cannot be certified; run "
            + "the evaluation again";

    /// <summary>The manifest of a folder's evaluation.</summary>
    /// <exception cref="DataException">The folder has no evaluation.</exception>
    public static EvaluationManifest ManifestOf(string folder) => EvaluationManifest.Read(folder);

    /// <summary>The lines of a finished evaluation's ledger, as they are in the file: nothing is checked against anything.</summary>
    /// <exception cref="DataException">It is missing or damaged.</exception>
    public static IReadOnlyList<LedgerEntry> LedgerOf(string folder) => Ledger.Read(folder);

    /// <summary>Channels, height and width of a folder's images.</summary>
    /// <exception cref="DataException">They are missing or damaged.</exception>
    public static Shape ImageOf(string folder) => new EvaluationFiles(folder).Image;

    /// <summary>The digest of a finished evaluation, SHA-256 of its list of digests.</summary>
    /// <exception cref="DataException">There is no list.</exception>
    public static string DigestOf(string folder) => Seal.DigestOf(folder);

    /// <summary>Whether manifest, images and network belong together at all.</summary>
    private static IEnumerable<string> Bound(
        EvaluationManifest manifest, EvaluationFiles files, Classifier net, string modelHash, InputTransform? transform)
    {
        bool whole = manifest.Version == EvaluationManifest.Layout;
        if (modelHash != manifest.ModelHash && EvaluationFiles.HashOf(net) != manifest.ModelHash)
            yield return modelHash.Length == 0 ? "the network's values are not those that were evaluated"
                : $"the checkpoint's SHA-256 is {modelHash}, the evaluation's was {manifest.ModelHash}";
        if (files.DataHash != manifest.DataHash || files.Classes.Length != manifest.Images)
            yield return "images or labels in the folder are not those of the manifest";
        if (files.Image.SampleCount != net.InputShape.SampleCount || files.Classes.Any(y => y >= net.Classes))
            yield return "images or labels are none of this network's";
        if (whole && manifest.Classes != net.Classes)
            yield return $"the network has {net.Classes} classes, the manifest says {manifest.Classes}";
        if (whole && manifest.Transform != $"{transform}")
            yield return $"the step in front of the network is '{transform}', the evaluation's was '{manifest.Transform}'";
    }

    // Its order depends on how often the evaluation was resumed, so no digest covers it; its lines must be those of the ledger.
    private static IEnumerable<string> JournalProblems(string folder, IReadOnlyList<LedgerEntry> ledger)
    {
        string text = Ledger.Text(ledger), journal = Path.Combine(folder, Ledger.JournalName);
        if (EvaluationFiles.Text(Path.Combine(folder, Ledger.FinalName)) != text)
            yield return $"{Ledger.FinalName} is not as the evaluation writes it";
        if (Ledger.Text(Ledger.Read(folder, Ledger.JournalName)) != text
            || new FileInfo(journal).Length != System.Text.Encoding.UTF8.GetByteCount(text))
            yield return $"{Ledger.JournalName} has other lines than {Ledger.FinalName}";
    }

    private static ColumnPlan ColumnOf(ColumnResult c) =>
        new(c.Eps, c.Suite, c.Label, 1, [.. c.Stages.Select(s => new StagePlan(s.Attack, "", []))]);
}
