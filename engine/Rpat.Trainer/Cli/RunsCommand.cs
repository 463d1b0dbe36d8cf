using System.CommandLine;
using Rpat.Trainer.Report;
using Rpat.Trainer.View;

namespace Rpat.Trainer.Cli;

/// <summary><c>rpat runs list|show|compare|clean</c>: shows earlier runs, and removes their leftovers.</summary>
internal sealed class RunsCommand
{
    private const int MostKeys = 6;

    private readonly CommandContext _host;
    private readonly Option<string> _root;

    private RunsCommand(CommandContext host)
    {
        (_host, _root) = (host, RunsOption.Create(host));
        _root.Recursive = true;
    }

    /// <summary>The command, to be added to the root.</summary>
    public static Command Create(CommandContext host)
    {
        var runs = new RunsCommand(host);
        return new Command("runs", "List earlier runs, show one, find where two part, or remove what is left of them.")
            { runs._root, runs.ListAll(), runs.Show(), runs.Compare(), runs.Clean() };
    }

    private Command ListAll()
    {
        var json = new JsonOption();
        var columns = new Option<string?>("--columns")
        { Description = "keys of the configuration to show, or options: train.seed,method.rpat.weight,lr", HelpName = "KEY,…" };
        var group = new Option<string?>("--group-by")
        { Description = "one row for the runs of equal values of these keys: mean ± standard deviation (n − 1)", HelpName = "KEY,…" };
        var (format, eval) = (FormatOption(), ReportCommand.EvaluationOption());
        var list = new Command("list", "List the runs, oldest first: status, method, accuracies in percent, time.")
            { columns, group, eval, format, json.Option };
        list.SetAction(parsed =>
        {
            string root = parsed.GetRequiredValue(_root);
            if (!Directory.Exists(root)) _host.Note($"note: there is no folder '{root}'");
            IReadOnlyList<RunData> found = [.. RunFinder.AllMeasured(root).Select(Readable).OfType<RunData>()];
            var by = Keys("--group-by", parsed.GetValue(group), found);
            var all = Chosen(found, parsed.GetValue(eval), by);
            var table = new RunTable(all, Keys("--columns", parsed.GetValue(columns), found));
            string wanted = FormatOf(parsed.GetRequiredValue(format));
            json.Give(parsed, _host, () => by.Count > 0 ? table.Json(by) : all.Select(run => Json(run, table.Columns)),
                () => (by.Count > 0 ? table.Grouped(by, apart: wanted == "csv") : table.Each()).Show(_host, wanted));
            return ExitCode.Done;
        });
        return list;
    }

    // Keys, sections by their short names, what options are called, which a heading does not repeat, and keys of plugins, which runs know.
    private static IReadOnlyList<(string Name, string Key)> Keys(string option, string? text, IReadOnlyList<RunData> runs) =>
    [
        .. from name in ConfigValue.Items(text ?? "")
           let isKey = Schema.IsKey(name) || Schema.HasShorthand(name)
           select runs.Any(run => run.Setting(name).Length > 0) ? (name, name)
               : !isKey && ConfigOptions.Named(name)?.Path is { } key ? (key, key) : (name, Schema.Find(name, option).Path),
    ];

    // Rows of one run each stand for themselves; for groups the evaluation counts that most runs share.
    private IReadOnlyList<RunData> Chosen(IReadOnlyList<RunData> all, string? wanted, IReadOnlyList<(string Name, string Key)> by)
    {
        if (by.Count == 0) return wanted is null ? all : SharedEvaluation.Of(all, wanted).Runs;
        void Note(string line) => _host.Note(Printable.Line($"note: {line}"));
        var compared = SharedEvaluation.Of(RunLabels.Once(all, Note), wanted);
        string[] without = [.. compared.Runs.Where(run => run.AnyResult is null).Select(run => run.Name)];
        if (without.Length > 0) Note($"left out, having no result: {string.Join(", ", without)}");
        if (wanted is null)
            foreach (string column in compared.LeftOut) Note($"not in the table: {column}; --eval chooses another evaluation");
        foreach (var row in new RunTable(compared.Runs, []).Groups(by))
            if (RunLabels.Mixed(row.Runs) is { Count: > 0 } keys)
                Note($"the row '{string.Join(", ", row.Values)}' averages runs that differ in {string.Join(", ", keys.Take(MostKeys))}"
                    + (keys.Count > MostKeys ? $" and {keys.Count - MostKeys} more" : "")
                    + $": add {(keys.Count == 1 ? "it" : "those that matter")} to --group-by");
        return compared.Runs;
    }

    private static Option<string> FormatOption() => new("--format")
    {
        Description = $"form of the table: {string.Join(", ", TextTable.Formats.All())}",
        HelpName = "NAME",
        DefaultValueFactory = _ => "text",
    };

    private static string FormatOf(string text) => TextTable.Formats.Match(text)
        ?? throw new UsageException($"--format is '{text}': {TextTable.Formats.Hint(text)}");

    // A bad folder does not affect the others.
    private RunData? Readable(string folder)
    {
        try
        {
            return RunData.Load(folder);
        }
        catch (Exception error) when (error is UserException or IOException or UnauthorizedAccessException)
        {
            _host.Warn(Printable.Line($"'{folder}' is left out: {error.Message}"));
            return null;
        }
    }

    private static object Json(RunData run, IReadOnlyList<(string Name, string Key)> columns) => new
    {
        run.Name,
        run.Folder,
        run.Status,
        method = run.Setting(ConfigKeys.Of(c => c.Method.Name).Path),
        data = run.Setting(ConfigKeys.Of(c => c.Data.Name).Path),
        columns = columns.ToDictionary(column => column.Name, column => run.Setting(column.Key)),
        run.Record?.Start,
        run.Record?.End,
        accuracies = run.Accuracies.Where(a => a.Depth == 0)
        .Select(a => new { a.Attack, a.Threat, a.Value, a.Interval.Low, a.Interval.High, a.Images, a.Source }),
        corruptions = run.Corrupted.Select(one => CorruptionsCommand.Json(one.Report, Path.Combine(run.Folder, EvalFolder.Part, one.Name))),
        run.Warnings,
    };

    private Command Show()
    {
        var name = new Argument<string>("RUN") { Description = "a run or an evaluated checkpoint, its folder or name, or latest" };
        var json = new JsonOption();
        var show = new Command("show", "Print how a run was started, how it stands, what it measured and what warns of it.")
            { name, json.Option };
        show.SetAction(parsed =>
        {
            var run = Open(parsed, name);
            json.Give(parsed, _host, () => Json(run, []), () =>
            {
                foreach (string line in Lines(run)) _host.Tell(Printable.Line(line), 10);
            });
            return ExitCode.Done;
        });
        return show;
    }

    private static IEnumerable<string> Lines(RunData run)
    {
        yield return $"run       {run.Folder}";
        yield return $"status    {run.Status}{(run.Record?.Error is { } error ? $": {error}" : "")}";
        if (run.Record is { } record)
        {
            yield return $"started   {Time(record.Start)}, as: {ShellWord.Line(record.CommandLine)}";
            foreach (var resume in record.Resumes ?? [])
                yield return $"resumed   {Time(resume.Start)}, as: {ShellWord.Line(resume.CommandLine)}";
            if (record.End is { } end)
                yield return $"ended     {Time(end)}{(RunReport.Duration(run) is { Length: > 0 } time ? $", after {time}" : "")}";
        }

        if (run.Events.Count > 0) yield return FormattableString.Invariant(
            $"metrics   {run.Events.Count} events to step {run.Events[^1].Step}, epoch {run.Events[^1].Epoch}");
        foreach (var a in run.Accuracies.Where(a => a.Depth == 0))
            yield return FormattableString.Invariant(
                $"accuracy  {Format.Percent(a.Value)} ({Format.Percent(a.Interval.Low)} to {Format.Percent(a.Interval.High)}) {a.Attack}{(a.IsClean ? "" : " " + a.Threat)} on {a.Images} images, {a.Source}");
        foreach (var (name, report) in run.Corrupted) yield return $"accuracy  {Format.Percent(report.Mean)} mean of {report.Title} "
            + $"each, {name}";
        foreach (string warning in run.Warnings) yield return $"warning   {warning}";
    }

    private static string Time(DateTimeOffset time) => time.ToString("yyyy-MM-dd HH:mm:ss zzz", CultureInfo.InvariantCulture);

    private Command Compare()
    {
        var (first, second) = (new Argument<string>("A") { Description = "a run" }, new Argument<string>("B")
        { Description = "another run" });
        var json = new JsonOption();
        var compare =
            new Command("compare",
            "Print the settings in which two runs differ, the first step at which their metrics part, and whether their weights are "
                + "equal.") { first, second, json.Option };
        compare.SetAction(parsed =>
        {
            RunData a = Open(parsed, first), b = Open(parsed, second);
            var comparison = RunComparison.Of((Known(a, b), a.Folder, WeightsOf(a)), (Known(b, a), b.Folder, WeightsOf(b)));
            json.Give(parsed, _host, () => Json(comparison), () =>
            {
                foreach (string line in Lines(comparison, [.. new[] { a, b }.Where(run => run.Checkpoint is not null)]))
                    _host.Tell(Printable.Line(line), 10);
            });
            return ExitCode.Done;
        });
        return compare;
    }

    private static string? WeightsOf(RunData run) =>
        run.Checkpoint is { } file ? (File.Exists(file) ? file : null) : RunContents.Find(run.Folder, CheckpointFile.Name);

    // Of a checkpoint from elsewhere few settings are known.
    private static IReadOnlyList<KeyValuePair<string, string>> Known(RunData run, RunData other) =>
        run.Checkpoint is null && other.Checkpoint is null ? run.Settings
            : [.. run.Settings.Where(pair => pair.Value.Length > 0 && other.Setting(pair.Key).Length > 0)];

    private static IEnumerable<string> Lines(RunComparison comparison, RunData[] elsewhere)
    {
        foreach (var run in elsewhere)
            yield return $"settings  '{Path.GetFileName(run.Checkpoint)}' was not trained here: its settings and metrics are not known";
        foreach (var (key, a, b) in comparison.Settings) yield return $"setting   {key}: {Shown(a)} | {Shown(b)}";
        if (comparison.Settings.Count == 0 && elsewhere.Length == 0) yield return "settings  the same";
        if (elsewhere.Length == 0) foreach (string line in Metrics(comparison)) yield return line;
        if (comparison.SameSteps is { } steps)
            yield return comparison.FirstStep is { } at
                ? FormattableString.Invariant($"steps     the same loss in {steps}, then at step {at.Step}: {at.First:R} | {at.Second:R}")
                : FormattableString.Invariant($"steps     the same loss in all {steps} that both made");
        yield return $"weights   {comparison.SameWeights switch
        {
            true => "equal bit for bit",
            false => "different",
            null => elsewhere.Length > 0 ? "not compared: the files are of different formats; 'rpat import' makes .safetensors of others"
                : "not written by both",
        }}";
    }

    private static IEnumerable<string> Metrics(RunComparison comparison)
    {
        yield return comparison is { Parting: null, Events: 0 } ? "metrics   none" : comparison.Parting is null
            ? $"metrics   the same in all {comparison.Events} events"
            : comparison.Events == 0 ? "metrics   differ from the first event on"
            : $"metrics   the same in {comparison.Events} events, then";
        if (comparison.Parting is not { } parting) yield break;
        foreach (string line in new[] { $"A: {Said(parting.First)}", $"B: {Said(parting.Second)}" }) yield return $"          {line}";
    }

    private static string Said(string line) => MetricEvent.Parse(Encoding.UTF8.GetBytes(line)) is not { } one ? line
        : FormattableString.Invariant($"step {one.Step}, epoch {one.Epoch}, {one.Split}: ")
            + string.Join("  ", one.Values.Select(value => $"{value.Name} {value.Value.ToString("R", CultureInfo.InvariantCulture)}"));

    private static object Json(RunComparison c) => new
    {
        settings = c.Settings.Select(s => new { s.Key, s.First, s.Second }),
        same_events = c.Events,
        parting = c.Parting is { } p ? new { p.First, p.Second } : null,
        c.SameSteps,
        first_step = c.FirstStep is { } at ? new { at.Step, at.First, at.Second } : null,
        c.SameWeights,
    };

    private static string Shown(string value) => value.Length == 0 ? "(none)" : value;

    private Command Clean()
    {
        var checkpoints = new Option<bool>("--checkpoints") { Description = "also the checkpoints of finished runs, whose networks stay" };
        var dryRun = new Option<bool>("--dry-run") { Description = "say what would be removed, and stop" };
        var clean = new Command("clean", "Remove half-written files of dead processes, and folders in which no run has begun.")
            { checkpoints, dryRun };
        clean.SetAction(parsed =>
        {
            long bytes = 0;
            foreach (var item in new RunCleanup(_host.Warn).In(parsed.GetRequiredValue(_root), parsed.GetValue(checkpoints)).ToList())
            {
                bytes += item.Bytes;
                _host.Out.WriteLine(Printable.Line(item.Path));
                if (!parsed.GetValue(dryRun)) item.Remove();
            }

            _host.Note($"{Sizes.Text(bytes)} {(parsed.GetValue(dryRun) ? "would be" : "are")} free");
            return ExitCode.Done;
        });
        return clean;
    }

    private RunData Open(ParseResult parsed, Argument<string> name)
    {
        var (text, root) = (parsed.GetRequiredValue(name), parsed.GetRequiredValue(_root));
        var run = RunData.Load(RunFinder.Measured(text, root));
        RunsOption.TellDoubt(_host, text, root);
        return run;
    }
}
