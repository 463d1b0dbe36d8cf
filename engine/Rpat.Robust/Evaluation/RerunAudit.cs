namespace Rpat.Robust.Evaluation;

/// <summary>
/// Repeats lines of a ledger: of each column of the catalog the cheapest successful line, which shows that radius, seed and settings are
/// those of the adversarial images; and a requested number of others, drawn at random, the only way to show that an attack that failed
/// was run.
/// </summary>
internal sealed class RerunAudit
{
    // On another device a gradient near zero may change its sign; another radius or seed moves nearly every pixel.
    private const double SamePixel = 1e-4, OtherPixels = 0.1;

    private readonly VerifiedModel _model;
    private readonly AttackRunner _runner;
    private readonly Dictionary<(int, string), AttackSuite?> _suites;
    private readonly List<string> _problems = [];

    private RerunAudit(VerifiedModel model)
    {
        AttackRunnerOptions options = new() { Batch = model.Batch, Seed = model.Manifest.Seed, Transform = model.Transform };
        (_model, _runner) = (model, new AttackRunner(model.Net, options, model.Files.Image));
        _suites = model.Manifest.Columns.ToDictionary(c => (c.Eps, c.Suite), c => PlanAudit.Promised(model.Manifest, c));
    }

    /// <summary>What differed, one sentence each.</summary>
    public static IReadOnlyList<string> Problems(VerifiedModel model, IReadOnlyList<LedgerEntry> ledger, int more)
    {
        var audit = new RerunAudit(model);
        var subjects = audit.Chosen(ledger, more).ToDictionary(audit.SubjectOf);
        using var runner = audit._runner;
        runner.Run(subjects.Keys, async s => await audit.Rerun(s, subjects[s]));
        return audit._problems;
    }

    private List<LedgerEntry> Chosen(IReadOnlyList<LedgerEntry> ledger, int more)
    {
        LedgerEntry[] lines = [.. ledger.Where(e => e.Eps >= 0 && e.Attack != LedgerEntry.Reused && _suites[(e.Eps, e.Suite)] is not null)];
        var cheapest = lines.Where(e => e.Fooled).GroupBy(e => (e.Eps, e.Suite)).Select(column => column.MinBy(e => e.Forwards)!).ToList();
        Random.Shared.Shuffle(lines);
        return [.. cheapest, .. lines.Except(cheapest).Take(more)];
    }

    private Subject SubjectOf(LedgerEntry e)
    {
        float[] image = _model.Files.ImageOf(_model.Files.Pixels, e.Sample).ToArray();
        return new Subject(_runner, _model.Manifest.First + (long)e.Sample, image, _model.Files.Classes[e.Sample]);
    }

    private async Task Rerun(Subject s, LedgerEntry line)
    {
        s.Clean = (await s.Logits(s.Image)).Logits;
        var suite = _suites[(line.Eps, line.Suite)]!;
        var part = new AttackPart(line.Rank, line.Restart);
        var again = await PartRun.Of(s, suite, PartRun.Unrun(line.Eps, suite, line.Stage, line.Sample, part));
        if (again.Entry.Fooled == line.Fooled && (again.Point is null || IsSame(again.Point, line))) return;
        string finding = again.Entry.Fooled == line.Fooled ? "makes another picture"
            : again.Entry.Fooled ? "breaks it, the ledger says that it failed" : "fails, the ledger says that it broke it";
        string where = $"image {line.Sample} in {line.Suite} at eps {_model.Manifest.Eps[line.Eps]}";
        _problems.Add($"{where}: {line.Attack} (rank {line.Rank}, restart {line.Restart}), run again, {finding}");
    }

    private bool IsSame(float[] point, LedgerEntry line)
    {
        var stored = _model.Files.ImageOf(_model.Files.Examples(line.Eps, line.Suite), line.Sample);
        int other = 0;
        for (int i = 0; i < point.Length; i++)
            if (Math.Abs(point[i] - stored[i]) > SamePixel) other++;
        return other <= OtherPixels * point.Length;
    }
}
