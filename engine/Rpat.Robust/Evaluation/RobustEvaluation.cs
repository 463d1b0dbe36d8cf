namespace Rpat.Robust.Evaluation;

/// <summary>
/// An evaluation in its own folder: clean pass, then at each radius each column's attacks on the images that are still correct. Every
/// finished part is recorded in the ledger at once, so it can be killed at any time and resumed; results depend on the plan alone.
/// </summary>
public sealed class RobustEvaluation
{
    private readonly Classifier _net;
    private readonly EvaluationPlan _plan;
    private readonly Shape _image;
    private readonly float[] _images;
    private readonly int[] _labels;
    private readonly string _folder;
    private readonly Dictionary<(int, string), HashSet<int>> _broken = [];
    private readonly AttackRunner _runner; // one for all attacks, since it keeps the recorded tapes

    /// <summary>Prepares an evaluation.</summary>
    /// <param name="net">The network, used in eval mode.</param>
    /// <param name="images"><c>[N, C, H, W]</c> in [0,1].</param>
    /// <param name="labels">True classes <c>[N]</c>.</param>
    /// <param name="folder">Where everything is stored; created if it does not exist.</param>
    /// <param name="imageShape">Channels, height and width, if the network itself takes flat rows.</param>
    /// <exception cref="ArgumentException">Images, labels or plan cannot be evaluated; the message says why.</exception>
    public RobustEvaluation(Classifier net, EvaluationPlan plan, float[] images, int[] labels, string folder, Shape? imageShape = null)
    {
        ArgumentNullException.ThrowIfNull(net);
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(labels);
        ArgumentNullException.ThrowIfNull(folder);
        _image = (imageShape ?? net.InputShape).WithBatch(1);
        plan.Check(_image, net.Classes);
        InputCheck.Require(images, labels, _image, net.Classes);
        if (labels.Length == 0) throw new ArgumentException("There are no images to evaluate: choose other data, or a larger number.");
        if (plan.ModelHash.Length == 0)
            plan = plan with { ModelHash = File.Exists(plan.Model) ? Seal.HashOf(plan.Model) : EvaluationFiles.HashOf(net) };
        (_net, _plan, _images, _labels, _folder) = (net, plan, images, labels, folder);
        _runner = new AttackRunner(net, new() { Batch = plan.Batch, Seed = plan.Seed, Transform = plan.Transform }, _image);
    }

    /// <summary>Receives the progress of the evaluation, often; may cancel by throwing.</summary>
    public Action<EvaluationProgress>? Progress { get; set; }

    /// <summary>For tests of everything else.</summary>
    internal bool SkipSelfTest { get; init; }

    /// <summary>Receives one line per finished attack.</summary>
    public Action<string>? Log { get; set; }

    /// <summary>Runs the remaining parts.</summary>
    /// <param name="resume">Whether the folder may already contain a part of this evaluation.</param>
    /// <exception cref="DataException">The folder contains another evaluation, or this one without <paramref name="resume"/>.</exception>
    /// <exception cref="NotFiniteException">The network returned NaN or infinity.</exception>
    /// <exception cref="IOException">Another process evaluates in the folder, or it cannot be written.</exception>
    public EvaluationReport Run(bool resume)
    {
        using var runner = _runner; // which records its passes anew if this is called again
        var manifest = Manifest();
        Claim(manifest, resume);
        var selfTest = SkipSelfTest || _plan.Suites.Count == 0 ? new SelfTest([]) : SelfTest.Of(_net.Device);
        List<EvaluationWarning> warnings = [.. selfTest.Warnings, .. EvaluationChecks.Before(_net, _plan, _images, _labels, _image)];
        _runner.IsRandom |= warnings.Any(w => w.Flag == EvaluationChecks.Randomized);
        using var examples = new ExampleStore(_folder, _labels.Length, _image);
        using var ledger = new Ledger(_folder, examples);
        Clean(ledger);
        for (int eps = 0; eps < _plan.Radii.Count; eps++)
            foreach (var suite in _plan.SuitesAt(_plan.Radii[eps].Value)) Column(ledger, examples, eps, suite);
        return Finish(manifest, ledger, examples, warnings, selfTest);
    }

    /// <summary>The result of another folder that holds this evaluation, finished; null if it is unfinished, damaged or of other weights,
    /// images or settings.</summary>
    public EvaluationReport? FinishedIn(string folder)
    {
        try
        {
            return Difference(EvaluationManifest.Read(folder), Manifest()) is null ? EvaluationReport.Read(folder) : null;
        }
        catch (DataException)
        {
            return null;
        }
    }

    private EvaluationManifest Manifest() =>
        EvaluationManifest.Of(_plan, EvaluationFiles.HashOf(_images, _labels), _labels.Length, _net.Classes);

    /// <summary>Writes manifest, images and labels, or compares them with those in the folder.</summary>
    private void Claim(EvaluationManifest manifest, bool resume)
    {
        AtomicFile.MakeFolder(_folder);
        string path = Path.Combine(_folder, EvaluationManifest.FileName);
        if (File.Exists(path))
        {
            if (!resume)
                throw new DataException(
                    $"'{_folder}' holds an evaluation already: go on with resume: true, or choose another folder for it.");
            if (Difference(EvaluationManifest.Read(_folder), manifest) is { } other)
                throw new DataException(
                    $"'{_folder}' holds another evaluation (not with '{other}'): choose another folder for it, or give the same "
                        + "network, data and attacks.");
            return;
        }
        Npy.Write(Path.Combine(_folder, EvaluationFiles.Images),
            NamedArray.FromFloats("images", _images, _labels.Length, _image.C, _image.H, _image.W));
        Npy.Write(Path.Combine(_folder, EvaluationFiles.Labels),
            NamedArray.FromInt64("labels", [.. _labels.Select(y => (long)y)], _labels.Length));
        AtomicFile.WriteText(path, manifest.ToJson());
    }

    // Paths may differ in a resumed evaluation; settings and hashes may not.
    private static string? Difference(EvaluationManifest before, EvaluationManifest now) =>
        before.Version != now.Version ? FormattableString.Invariant($"layout {now.Version}")
        : now.Settings.FirstOrDefault(line => !before.Settings.Contains(line))
        ?? before.Settings.FirstOrDefault(line => !now.Settings.Contains(line))
            ?? (JsonSerializer.Serialize(before.Columns) == JsonSerializer.Serialize(now.Columns) ? null : "the same restarts and targets");

    private Subject SubjectOf(int i) =>
        new(_runner, _plan.First + (long)i, _images.AsSpan(i * _image.SampleCount, _image.SampleCount).ToArray(), _labels[i]);

    /// <summary>The image's position among those that are evaluated.</summary>
    private int Slot(Subject s) => (int)(s.Index - _plan.First);

    private void Clean(Ledger ledger)
    {
        int[] todo = [.. Enumerable.Range(0, _labels.Length).Where(i => ledger.Find(-1, LedgerEntry.Clean, 0, i, default) is null)];
        Drive(todo, "clean", () => 0, 0, async s =>
        {
            float[] z = (await s.Logits(s.Image)).Logits;
            ledger.Add(new LedgerEntry(-1, LedgerEntry.Clean, 0, LedgerEntry.Clean, Slot(s), 0, 0, s.Succeeds(z), Predictions.ArgMax(z), 0,
                s.Margin(z), 0, 1, 0, 0, 0, ""));
        });
        Log?.Invoke(Line("initial accuracy", ledger.Entries.Count(e => e.Eps < 0 && !e.Fooled)));
    }

    private void Column(Ledger ledger, ExampleStore examples, int eps, AttackSuite suite)
    {
        var broken = _broken[(eps, suite.Name)] = [.. ledger.Entries.Where(e => e.Eps == eps && e.Suite == suite.Name && e.Fooled)
            .Select(e => e.Sample)];
        var correct = ledger.Entries.Where(e => e.Eps < 0 && !e.Fooled).Select(e => e.Sample).ToHashSet();
        TakeOver(ledger, examples, eps, suite, broken);
        for (int stage = 0; stage < suite.Attacks.Count; stage++)
        {
            Stage(ledger, eps, suite, stage, [.. correct.Where(i => !broken.Contains(i)).Order()], broken);
            string name = AttackTitle.Of(suite.Name) + (suite.Attacks.Count > 1 ? $": {AttackTitle.Of(suite.Attacks[stage].Name)}" : "");
            int fooled = ledger.Entries.Count(e => e.Eps == eps && e.Suite == suite.Name && e.Fooled && e.Stage <= stage);
            Log?.Invoke(Line($"robust accuracy after {name} {_plan.Norm.Name} eps {_plan.Radii[eps].Text}", correct.Count - fooled));
        }
    }

    /// <summary>An example that succeeds at a smaller radius also counts at a larger one.</summary>
    private void TakeOver(Ledger ledger, ExampleStore examples, int eps, AttackSuite suite, HashSet<int> broken)
    {
        if (eps == 0) return;
        foreach (var e in ledger.Entries.Where(e => e.Eps == eps - 1 && e.Suite == suite.Name && e.Fooled).ToList())
            if (broken.Add(e.Sample))
                ledger.Add(e.TakenOver(eps), examples.Read(eps - 1, e.Suite, e.Sample));
    }

    private void Stage(Ledger ledger, int eps, AttackSuite suite, int stage, int[] alive, HashSet<int> broken)
    {
        var attack = suite.Attacks[stage];
        var parts = attack.PartsTried(_net.Classes);
        int[] todo = [.. alive.Where(i => parts.Any(part => ledger.Find(eps, suite.Name, stage, i, part) is null))];
        long each = attack.Cost(_net.Classes) * parts.Count,
            later = suite.Attacks.Skip(stage + 1).Sum(a => a.Cost(_net.Classes) * a.Parts(_net.Classes).Count);
        string title = $"{AttackTitle.Of(suite.Name)} {_plan.Radii[eps].Text}"
            + (suite.Attacks.Count > 1 ? $": {AttackTitle.Of(attack.Name)}" : "");
        Drive(todo, title, () => alive.Count(i => !broken.Contains(i)), each + later,
            async s =>
        {
            s.Clean = (await s.Logits(s.Image)).Logits;
            foreach (var part in parts.Where(part => ledger.Find(eps, suite.Name, stage, Slot(s), part) is null))
            {
                var run = await PartRun.Of(s, suite, PartRun.Unrun(eps, suite, stage, Slot(s), part));
                ledger.Add(run.Entry, run.Point);
                if (!run.Entry.Fooled) continue;
                broken.Add(Slot(s));
                return;
            }
        });
    }

    private void Drive(int[] todo, string title, Func<int> alive, long costEach, Func<Subject, Task> work)
    {
        int done = 0;
        _runner.Tick = () => Progress?.Invoke(new EvaluationProgress(title, done, todo.Length, alive(), _runner.Forwards,
            costEach * (todo.Length - done)));
        _runner.Run(todo.Select(SubjectOf), work, _ => done++);
        _runner.Tick();
    }

    private EvaluationReport Finish(EvaluationManifest manifest, Ledger ledger, ExampleStore examples, List<EvaluationWarning> warnings,
        SelfTest selfTest)
    {
        LedgerEntry[] entries = [.. ledger.Entries];
        var (clean, columns) = EvaluationReport.Count(entries, manifest.Columns);
        foreach (var ((eps, suite), broken) in _broken)
            for (int i = 0; i < _labels.Length; i++)
                if (!broken.Contains(i)) examples.Write(eps, suite, i, _images.AsSpan(i * _image.SampleCount, _image.SampleCount));
        ledger.Close();
        var report = new EvaluationReport(_labels.Length, clean, columns, [], selfTest.Cases);
        report = report with { Warnings = [.. warnings, .. EvaluationChecks.After(entries, manifest, report)] };
        AtomicFile.WriteText(Path.Combine(_folder, EvaluationReport.FileName),
            JsonSerializer.Serialize(report, EvaluationManifest.Format) + "\n");
        Seal.Write(_folder, manifest);
        return report;
    }

    private string Line(string what, int count) =>
        FormattableString.Invariant($"{what}: {100.0 * count / _labels.Length:F2} % ({count} of {_labels.Length})");
}
