namespace Rpat.Robust.Evaluation;

/// <summary>
/// Whether a result has the warnings that its evaluation gives rise to: those that follow from the ledger and the plan are compared word
/// for word; those that depend on the network by their flag, since their numbers depend on how a device rounds.
/// </summary>
internal static class WarningAudit
{
    // Visible only to the evaluating process or its device; or, of columns that the catalog does not have, to their maker.
    private static readonly string[] _there =
        ["batch-dependent", "dynamic", "noise", "probabilities", EvaluationChecks.Randomized, EvaluationChecks.ClassCounted];

    public static IEnumerable<string> Problems(VerifiedModel model, IReadOnlyList<LedgerEntry> ledger, EvaluationReport report)
    {
        var manifest = model.Manifest;
        EvaluationWarning[] due = [.. Before(model), .. EvaluationChecks.After([.. ledger], manifest, report),
            .. new SelfTest(report.SelfTest).Warnings];
        foreach (var w in due.Where(w => !Told(report.Warnings, w)))
            yield return $"the result lacks the warning [{w.Flag}] {w.Message}";
        foreach (var w in report.Warnings.Where(w => !_there.Contains(w.Flag) && !IsEarlier(w) && !due.Contains(w)))
            yield return $"the result has a warning that nothing gives rise to: [{w.Flag}] {w.Message}";
    }

    // Of earlier versions, about what a larger radius took over.
    private static bool IsEarlier(EvaluationWarning warning) => warning.Flag == "no-query"
        && warning.Message.StartsWith(LedgerEntry.Reused + ' ', StringComparison.Ordinal);

    private static bool Told(IReadOnlyList<EvaluationWarning> told, EvaluationWarning due) =>
        told.Any(w => _there.Contains(due.Flag) ? w.Flag == due.Flag : w == due);

    // The attacks themselves matter only to warnings about the number of classes, and those of the catalog can be made again.
    private static IEnumerable<EvaluationWarning> Before(VerifiedModel model)
    {
        var m = model.Manifest;
        var plan = new EvaluationPlan
        {
            Norm = Norm.Parse(m.Norm),
            Radii = [.. m.Eps.Zip(m.EpsValues, (text, value) => new Radius(text, value))],
            Seed = m.Seed,
            First = m.First,
            Batch = model.Batch,
            Transform = model.Transform,
            Model = m.Model,
            ModelHash = m.ModelHash,
            Data = m.Data,
            SuitesAt = eps => [.. m.Columns.Where(c => m.EpsValues[c.Eps] == eps).Select(c => PlanAudit.Promised(m, c))
                .OfType<AttackSuite>()],
        };
        return EvaluationChecks.Before(model.Net, plan, model.Files.Pixels, model.Files.Classes, model.Files.Image);
    }
}
