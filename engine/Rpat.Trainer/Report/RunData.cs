using Rpat.Robust.Settings;
using Rpat.Trainer.Evaluation;
using Rpat.Trainer.View;

namespace Rpat.Trainer.Report;

/// <summary>A picture of a run, whose bytes go into the report.</summary>
/// <param name="Columns">The classes of each column of images; none in runs of earlier versions.</param>
internal sealed record RunPicture(string Name, string MediaType, byte[] Bytes, IReadOnlyList<(string True, string Predicted)> Columns);

/// <summary>Everything that a run folder holds about a run; anything missing or unreadable is left out and reported.</summary>
/// <param name="Record">How and where it ran.</param>
/// <param name="Events">Its metrics while it was trained, in order.</param>
/// <param name="Accuracies">Its results: of the evaluation at its end, then of each later one.</param>
/// <param name="Perception">Perception curves, if they were measured.</param>
internal sealed record RunData(
    string Folder, string Name, RunRecord? Record, IReadOnlyList<KeyValuePair<string, string>> Settings, IReadOnlyList<MetricEvent> Events,
    IReadOnlyList<MeasuredAccuracy> Accuracies, IReadOnlyList<RunPicture> Pictures, IReadOnlyList<PerceptionCurves> Perception,
    IReadOnlyList<string> Warnings)
{
    /// <summary>What the evaluation at the end of a training is called.</summary>
    public const string EndOfRun = "end of the run";

    private static readonly char[] _digits = [.. "0123456789"];

    private const int MostText = 1 << 20, MostJson = 64 << 20, MostPicture = 16 << 20;

    private IReadOnlyDictionary<(string Split, string Name), List<(double X, double Y)>>? _curves;

    /// <summary>The file, if this is not a run but what was measured of a checkpoint from elsewhere; otherwise null.</summary>
    public string? Checkpoint { get; init; }

    /// <summary>Accuracies on corruptions, by the names of their evaluations.</summary>
    public IReadOnlyList<(string Name, CorruptionReport Report)> Corrupted { get; init; } = [];

    /// <summary>The accuracies that count when runs are compared; null to choose among its own.</summary>
    public IReadOnlyList<MeasuredAccuracy>? Chosen { get; init; }

    /// <summary>How it stands, such as <c>finished</c>; <c>killed</c> if its process ended without a word.</summary>
    public string Status => Checkpoint is not null ? "elsewhere" : Record?.StatusIn(Folder) ?? "unknown";

    /// <summary>The value of a key, or nothing.</summary>
    public string Setting(string key) => Settings.FirstOrDefault(pair => pair.Key == key).Value ?? "";

    /// <summary>A curve of the metrics: epoch and value.</summary>
    public IReadOnlyList<(double X, double Y)> Curve(string split, string metric) => Curves.GetValueOrDefault((split, metric)) ?? [];

    /// <summary>All curves of the metrics, in the order in which they begin.</summary>
    public IReadOnlyDictionary<(string Split, string Name), List<(double X, double Y)>> Curves => _curves ??= CurvesOf(Events);

    /// <summary>The clean accuracy of the evaluation that counts.</summary>
    public MeasuredAccuracy? Clean => Deciding.FirstOrDefault(a => a.IsClean);

    /// <summary>The accuracy under the strongest attack of the evaluation that counts: the lowest one.</summary>
    public MeasuredAccuracy? Robust =>
        Deciding.Where(a => !a.IsClean).OrderBy(a => a.Value).ThenByDescending(IsAutoAttack).FirstOrDefault();

    /// <summary>Whether an accuracy is AutoAttack's.</summary>
    public static bool IsAutoAttack(MeasuredAccuracy a) =>
        a.Depth == 0 && a.Attack.Split(' ', '-')[0] == AttackTitle.Of("aa") && a.Attack != AttackTitle.Of(Transfer.NameOf("aa"));

    /// <summary>
    /// The evaluation that decides, since Mean and NRR join a clean and a robust accuracy of the same images: one with AutoAttack if there
    /// is one, otherwise the one with the most images; before all, one of the run's network under the threat model of its training.
    /// </summary>
    public IReadOnlyList<MeasuredAccuracy> Deciding => Chosen ?? Measured.OrderBy(measured => measured[0].OtherFile.Length > 0)
        .ThenByDescending(measured => measured.Any(a => a.Threat == OwnThreat)).ThenByDescending(measured => measured.Any(IsAutoAttack))
        .ThenByDescending(measured => measured.Any(a => !a.IsClean))
        .ThenByDescending(measured => measured[0].Images).FirstOrDefault() ?? [];

    internal string OwnThreat => Threat(Setting(ConfigKeys.Of(c => c.Attack.Norm).Path), Setting(ConfigKeys.Of(c => c.Attack.Eps).Path));

    // A radius may be written in several ways: 1, 255/255.
    private static string Threat(string norm, string eps) =>
        $"{norm} eps {(Numbers.TryReal(eps, out double length) ? Format.Pixels(length) : eps)}";

    /// <summary>One accuracy of the evaluation that counts, for its images and conditions; null without a result.</summary>
    public MeasuredAccuracy? AnyResult => Clean ?? Robust;

    /// <summary>All that was measured under the conditions of the evaluation that counts.</summary>
    public IReadOnlyList<MeasuredAccuracy> Counting =>
        Measured.FirstOrDefault(measured => measured[0].Conditions == AnyResult?.Conditions) ?? [];

    /// <summary>The accuracies by the conditions that they were measured under; of one that was measured twice the later.</summary>
    public IEnumerable<IReadOnlyList<MeasuredAccuracy>> Measured => Accuracies.Where(a => a.Depth == 0).GroupBy(a => a.Conditions)
        .Select(same => same.GroupBy(a => (a.Attack, a.Threat)).Select(twice => twice.Last()).ToList());

    /// <summary>Reads a run folder.</summary>
    /// <exception cref="UsageException">The folder is not a run.</exception>
    public static RunData Load(string folder)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        if (ForeignHome.Is(full)) return Foreign(full);
        if (RunContents.Find(full, RunFolder.ConfigName) is null)
            throw new UsageException(
                $"'{folder}' is not a run folder, it has no {RunFolder.ConfigName}: give a folder that 'rpat train' made.");
        var warnings = new List<string>();
        var record = RunRecord.Read(full);
        if (record is null)
            warnings.Add($"{RunRecord.FileName} is missing or damaged: how the run was started and how it ended is unknown.");
        if (RunContents.Find(full, RunFolder.WarningsName) is { } kept)
            warnings.AddRange(RegularFile.ReadText(kept, MostText).Split('\n', StringSplitOptions.RemoveEmptyEntries));
        var results = RunResult.Read(full, warnings.Add);
        var settings = Keyed(full);
        string images = settings.FirstOrDefault(pair => pair.Key == ConfigKeys.Of(c => c.Data.Name).Path).Value;
        var accuracies = Results(results, images).Concat(Evaluations(full, warnings)).ToList();
        var data = new RunData(
            full, Path.GetFileName(full), record, settings, Metrics(full, [.. results.Select(r => r.Split)]), accuracies,
            PicturesOf(full), PerceptionCurves.Read(full), warnings)
        { Corrupted = CorruptedOf(full) };
        warnings.AddRange(RunWarnings.Of(data));
        return data;
    }

    private static RunData Foreign(string full)
    {
        EvaluationManifest[] all = [.. ForeignHome.Manifests(full)];
        var manifest = all[0];
        List<string> warnings = [];
        KeyValuePair<string, string>[] settings =
        [
            new(ConfigKeys.Of(c => c.Data.Name).Path, all.FirstOrDefault(one => one.Norm.Length > 0)?.Data ?? ""),
            new(ConfigKeys.Of(c => c.Model.Name).Path, all.Select(one => one.Architecture.Length > 0 ? one.Architecture
                : one.Network.GetValueOrDefault("model", "")).FirstOrDefault(name => name.Length > 0) ?? ""),
        ];
        var data = new RunData(full, Path.GetFileName(full), null, settings, [], [.. Evaluations(full, warnings)], [],
            PerceptionCurves.Read(full), warnings)
        { Checkpoint = manifest.Model, Corrupted = CorruptedOf(full) };
        warnings.AddRange(RunWarnings.Of(data));
        return data;
    }

    // Settings without effect tell no runs apart.
    private static List<KeyValuePair<string, string>> Keyed(string folder)
    {
        var entries = Layers.Recorded(folder);
        string method = entries.GetValueOrDefault(ConfigKeys.Of(c => c.Method.Name).Path)?.Text ?? "";
        return [.. entries.Values.Where(entry => Schema.Applies(entry.Path, method))
            .Select(entry => KeyValuePair.Create(entry.Path, entry.Text))];
    }

    // Measurements at the end belong to one epoch only: they are among the results, not among the curves, which may be of the same images.
    private static List<MetricEvent> Metrics(string folder, string[] results)
    {
        if (RunContents.Find(folder, MetricsLog.EventsName) is not { } path) return [];
        List<MetricEvent> events = [.. MetricEvent.Read(path)];
        foreach (string split in results)
            if (events.FindLastIndex(one => one.Split == split) is >= 0 and var last) events.RemoveAt(last);
        return events;
    }

    private static Dictionary<(string, string), List<(double, double)>> CurvesOf(IReadOnlyList<MetricEvent> events)
    {
        var curves = new Dictionary<(string, string), List<(double, double)>>();
        foreach (var one in events)
        {
            foreach (var value in one.Values)
            {
                if (!curves.TryGetValue((one.Split, value.Name), out var curve)) curves[(one.Split, value.Name)] = curve = [];
                curve.Add((one.Epoch, value.Value));
            }
        }

        return curves;
    }

    private static IEnumerable<MeasuredAccuracy> Results(IReadOnlyList<EvaluationResult> results, string images) =>
        from result in results
        from s in result.Scores
        let source = result.Network.Length == 0 ? EndOfRun : $"{EndOfRun}, {result.Network}"
        // With a best epoch the run's name stands for its network.
        let other = results.Count > 1 && result == results[0] ? CheckpointFile.Name : "" // the epoch of the best one parts no seeds
        let threat = result.Threat.Split(" eps ") is [var norm, var eps] ? Threat(norm, eps) : result.Threat
        select new MeasuredAccuracy(s.Title, s.IsClean ? "" : threat, (int)Math.Round(s.Accuracy * result.Images), result.Images,
        source)
        {
            Conditions = $"{result.Images} images of {images}, {threat}{(other.Length == 0 ? "" : ", last epoch")}",
            OtherFile = other,
        };

    private static IReadOnlyList<MeasuredAccuracy> Evaluations(string folder, List<string> warnings)
    {
        List<(string Evaluation, EvaluationWarning Warning)> given = [];
        // NAME-2 is later than NAME, and NAME-10 than NAME-9.
        MeasuredAccuracy[] found = [.. RunContents.Folders(Path.Combine(folder, ForeignHome.Evaluations))
            .OrderBy(path => path.TrimEnd(_digits).TrimEnd('-'), StringComparer.Ordinal).ThenBy(path => path.Length)
            .ThenBy(path => path, StringComparer.Ordinal).SelectMany(path => Evaluation(path, warnings, given))];
        warnings.AddRange(RunWarnings.Joined(given));
        return found;
    }

    private static IEnumerable<MeasuredAccuracy> Evaluation(string folder, List<string> warnings,
        List<(string Evaluation, EvaluationWarning Warning)> given)
    {
        string name = Path.GetFileName(folder);
        try
        {
            if (RunContents.Find(folder, EvaluationReport.FileName) is not { } result)
            {
                if (CorruptionReport.In(folder) is { IsWhole: true }) return [];
                warnings.Add($"The evaluation {name} has not finished: its result is not shown.");
                return [];
            }

            var report = Json<EvaluationReport>(result);
            string plan = RunContents.Find(folder, EvaluationManifest.FileName)
                ?? throw new JsonException($"it has no {EvaluationManifest.FileName}");
            var manifest = Json<EvaluationManifest>(plan);
            if (!IsPossible(report, manifest)) throw new JsonException("its numbers are impossible");
            if (IsOfEarlierWeights(folder, manifest))
            {
                warnings.Add(
                    $"The evaluation {name} is of earlier weights of {Path.GetFileName(manifest.Model)}: it is not shown, repeat it.");
                return [];
            }
            given.AddRange(report.Warnings.Select(w => (name, w)));
            warnings.AddRange(report.SelfTest.Where(c => !c.Passed).Select(c => $"{name}: the self-test '{c.Name}' failed: {c.Finding}"));
            return Counted(name, report, manifest, OtherFile(folder, manifest));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException or NotSupportedException
            or DataException)
        {
            warnings.Add($"The evaluation {name} cannot be read: {error.Message}");
            return [];
        }
    }

    /// <summary>Whether an evaluation is of weights that its file had before. Hashing every network would take long: one that is older
    /// than the plan is the one that was evaluated.</summary>
    public static bool IsOfEarlierWeights(string evaluation, EvaluationManifest manifest)
    {
        string run = Path.GetFullPath(Path.Combine(evaluation, "..", ".."));
        return new[] { Path.Combine(run, Path.GetFileName(manifest.Model)), manifest.Model }.FirstOrDefault(File.Exists) is { } model
            && File.GetLastWriteTimeUtc(model) > File.GetLastWriteTimeUtc(Path.Combine(evaluation, EvaluationManifest.FileName))
            && !manifest.ModelHash.StartsWith(EvalSubject.HashOf(model), StringComparison.Ordinal);
    }

    // What is measured of a run is its network; another of its files, such as an earlier checkpoint, is said to be one.
    internal static string OtherFile(string evaluation, EvaluationManifest manifest)
    {
        string run = Path.GetFullPath(Path.Combine(evaluation, "..", "..")), file = Path.GetFileName(manifest.Model);
        return ForeignHome.Is(run) || CheckpointFile.Of(run) is not { } own || file == Path.GetFileName(own) ? "" : file;
    }

    private static T Json<T>(string path) =>
        JsonSerializer.Deserialize<T>(RegularFile.ReadBytes(path, MostJson), RunJson.Format) ?? throw new JsonException("it is empty");

    private static bool IsPossible(EvaluationReport report, EvaluationManifest manifest)
    {
        bool Counts(int robust) => robust >= 0 && robust <= report.CleanCorrect;
        return report.Images > 0 && report.CleanCorrect >= 0 && report.CleanCorrect <= report.Images
            && report.Warnings.All(warning => warning is not null) && report.SelfTest.All(test => test is not null)
            && report.Columns.All(column => column is not null && Counts(column.Robust) && column.Eps >= 0
            && column.Eps < manifest.EpsValues.Count
                && column.Stages.All(stage => stage is not null && Counts(stage.Robust)));
    }

    private static IEnumerable<MeasuredAccuracy> Counted(string name, EvaluationReport report, EvaluationManifest manifest, string file)
    {
        if (file.Length > 0) name = $"{name} of {file}";
        string from = manifest.First == 0 ? "" : FormattableString.Invariant($" from {manifest.First}"),
            radii = string.Join('+', manifest.EpsValues.Select(Format.Pixels)),
            conditions = $"{report.Images} images of {manifest.Data}{from}, {manifest.Norm} eps {radii}"
                + (file.Length > 0 ? $", {file}" : "");
        yield return new("Clean", "", report.CleanCorrect, report.Images, name) { Conditions = conditions, OtherFile = file };
        foreach (ColumnResult column in report.Columns)
        {
            string threat = $"{manifest.Norm} eps {Format.Pixels(manifest.EpsValues[column.Eps])}";
            yield return new(AttackTitle.Of(column.Label), threat, column.Robust, report.Images, name)
            { Conditions = conditions, OtherFile = file };
            if (column.Stages.Count < 2) continue;
            foreach (StageResult stage in column.Stages)
                yield return new($"after {AttackTitle.Of(stage.Attack)}", threat, stage.Robust, report.Images, name, 1)
                { Conditions = conditions, OtherFile = file };
        }
    }

    private static List<(string, CorruptionReport)> CorruptedOf(string folder)
    {
        List<(string, CorruptionReport)> found = [];
        foreach (string path in RunContents.Folders(Path.Combine(folder, ForeignHome.Evaluations)))
        {
            try
            {
                if (CorruptionReport.In(path) is not { IsWhole: true } report) continue;
                var manifest = Verification.ManifestOf(path);
                if (!IsOfEarlierWeights(path, manifest) && OtherFile(path, manifest).Length == 0)
                    found.Add((Path.GetFileName(path), report));
            }
            catch (DataException)
            {
                // The warnings say of such an evaluation that it cannot be read.
            }
        }
        return found;
    }

    // A page that is sent to others holds only the picture that the run made, nothing that a user put next to it.
    private static List<RunPicture> PicturesOf(string folder)
    {
        if (RunContents.Find(folder, AttackedExamples.FileName) is not { } path) return [];
        byte[] bytes = RegularFile.ReadBytes(path, MostPicture);
        return bytes.AsSpan().StartsWith(PngStart)
            ? [new RunPicture(Path.GetFileNameWithoutExtension(path), "image/png", bytes, ColumnsOf(bytes))] : [];
    }

    // The title follows the header, if there is one: length, kind, 'Title', zero, text.
    private static IReadOnlyList<(string True, string Predicted)> ColumnsOf(ReadOnlySpan<byte> png)
    {
        const int At = 33, Begin = 8;
        ReadOnlySpan<byte> kind = "tEXtTitle\0"u8;
        if (png.Length < At + Begin + 6 || !png[(At + 4)..].StartsWith(kind)) return [];
        int length = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(png[At..]), start = At + 4 + kind.Length;
        if (length < 6 || length > MostText || start + length - 6 > png.Length) return [];
        try
        {
            var columns = JsonSerializer.Deserialize<string[][]>(png.Slice(start, length - 6)) ?? [];
            return [.. columns.Where(names => names is [not null, not null]).Select(names => (names[0], names[1]))];
        }
        catch (JsonException)
        {
            return [];
        }
    }

    private static ReadOnlySpan<byte> PngStart => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];
}
