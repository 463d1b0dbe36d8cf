using System.CommandLine;
using System.IO.Enumeration;
using Rpat.Trainer.Bench;

namespace Rpat.Trainer.Cli;

/// <summary>The options that all benchmarks share: which rows, where results are saved, and what they are compared with.</summary>
internal sealed class BenchOutput
{
    private readonly CommandContext _host;
    private readonly string _what;
    private readonly IReadOnlyList<string> _categories;

    private readonly Option<string[]> _filter = new("--filter")
    { Description = "time only what has such a name; repeatable, * stands for anything", HelpName = "'*Conv*',…" };
    private readonly Option<string?> _category = new("--category") { HelpName = "NAME,…" };
    private readonly Option<string?> _baseline = new("--baseline")
    { Description = "compare with an earlier result that --json has written", HelpName = "FILE" };
    private readonly Option<string?> _failOver = new("--fail-over")
    { Description = "end with exit code 7 when a median exceeds the baseline's by this factor, such as 1.25", HelpName = "RATIO" };
    private readonly JsonOption _json = new();
    private readonly Option<string?> _artifacts = new("--artifacts")
    { Description = "write the result as JSON, CSV and Markdown into a folder", HelpName = "DIR" };

    /// <summary>Makes the options of one benchmark.</summary>
    public BenchOutput(CommandContext host, string what, IReadOnlyList<string> categories)
    {
        (_host, _what, _categories) = (host, what, categories);
        _category.Description = $"time only these kinds: {string.Join(", ", categories)}";
        _category.CompletionSources.Add([.. categories]);
    }

    /// <summary>Adds them to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { _filter, _baseline, _failOver, _json.Option, _artifacts }) command.Add(option);
        if (_categories.Count > 1) command.Add(_category);
    }

    /// <summary>Which rows are wanted, and what they are compared with; wrong options are found before anything is timed.</summary>
    /// <exception cref="UsageException">There is one.</exception>
    public BenchRequest Read(ParseResult parsed)
    {
        string[] kinds = _categories.Count > 1 ? Kinds(parsed.GetValue(_category)) : [];
        double? limit = Limit(parsed.GetValue(_failOver));
        string? path = parsed.GetValue(_baseline);
        if (limit is not null && path is null) throw new UsageException("--fail-over compares with a baseline: give --baseline FILE too.");
        string[] filters = [.. (parsed.GetValue(_filter) ?? []).SelectMany(ConfigValue.Items)];
        return new BenchRequest(filters, kinds, path is null ? null : BenchResult.Read(path, _what), limit, _json.File(parsed),
            parsed.GetValue(_artifacts))
        { Talk = _json.Talk(parsed, _host), IsOnStdout = _json.TakesStdout(parsed) };
    }

    /// <summary>Refuses <c>--json</c> with an option that prints something else than timings.</summary>
    /// <exception cref="UsageException">It is given.</exception>
    public void RefuseJson(ParseResult parsed, string other)
    {
        _json.Refuse(parsed, other);
        RefuseComparison(parsed, other);
    }

    /// <summary>Refuses a choice of rows with an option that has none.</summary>
    /// <exception cref="UsageException">It is given.</exception>
    public void RefuseChoice(ParseResult parsed, string other) =>
        parsed.RefuseOptions($"does not go with {other}, which times nothing", _filter, _category);

    /// <summary>Refuses what needs timings with an option that takes none.</summary>
    /// <exception cref="UsageException">It is given.</exception>
    public void RefuseComparison(ParseResult parsed, string other) =>
        parsed.RefuseOptions($"does not go with {other}, which times nothing to compare", _baseline, _failOver, _artifacts);

    /// <summary>The error for a choice of which nothing is left.</summary>
    public UsageException Nothing() => new(
        $"--filter and --category leave nothing to time: 'rpat bench {_what}{(_what == "kernels" ? " --list" : "")}' without them has "
            + "the names.");

    /// <summary>Saves a result, prints it next to the baseline, and reports what got slower.</summary>
    /// <returns>The exit code.</returns>
    /// <exception cref="UsageException">No row was wanted.</exception>
    public int Finish(BenchRequest request, string on, IReadOnlyList<BenchRow> rows)
    {
        if (rows.Count == 0) throw Nothing();
        var machine = MachineInfo.Here();
        var result = new BenchResult(_what, on, string.Create(CultureInfo.InvariantCulture, $"{machine.Cpu}, {machine.Cores} cores"),
            machine.Version, rows);
        if (request.IsOnStdout) _host.Out.Write(result.Text());
        if (request.Json is { } json) result.Write(json);
        if (request.Artifacts is { } folder) result.WriteArtifacts(folder);
        return request.Baseline is { } before ? Compare(new BenchBaseline(before, result), request) : ExitCode.Done;
    }

    private int Compare(BenchBaseline baseline, BenchRequest request)
    {
        foreach (string note in baseline.Notes()) _host.Warn($"note: {note}");
        foreach (string line in baseline.Lines()) request.Talk.WriteLine(line);
        int code = ExitCode.Done;
        foreach (string sentence in request.Limit is { } most ? baseline.Slower(most) : [])
        {
            _host.Error.WriteLine($"rpat: {sentence}");
            code = ExitCode.LimitMissed;
        }

        return code;
    }

    private string[] Kinds(string? text)
    {
        string[] kinds = (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        string? unknown = kinds.FirstOrDefault(kind => !_categories.Contains(kind));
        return unknown is null ? kinds : throw new UsageException(
            $"--category has '{unknown}': {DidYouMean.Hint(unknown, [.. _categories], "categories")}");
    }

    private static double? Limit(string? text)
    {
        if (text is null) return null;
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double limit) && limit > 0
            && double.IsFinite(limit)
            ? limit
            : throw new UsageException($"--fail-over is '{text}' where a ratio is wanted, such as 1.25.");
    }
}

/// <summary>What a user wants from a benchmark.</summary>
/// <param name="Filters">Patterns of names; any name if empty.</param>
/// <param name="Categories">Kinds; any kind if empty.</param>
/// <param name="Baseline">What the result is compared with, or null.</param>
/// <param name="Limit">The multiple of the baseline's time that is too slow, or null for no limit.</param>
/// <param name="Json">File for the result, or null.</param>
/// <param name="Artifacts">Folder for the result, or null.</param>
internal sealed record BenchRequest(
    IReadOnlyList<string> Filters, IReadOnlyList<string> Categories, BenchResult? Baseline, double? Limit, string? Json, string? Artifacts)
{
    /// <summary>Where the usual output goes.</summary>
    public TextWriter Talk { get; init; } = TextWriter.Null;

    /// <summary>Whether stdout holds only the JSON.</summary>
    public bool IsOnStdout { get; init; }

    /// <summary>Whether a row is wanted.</summary>
    public bool Wants(string name, string category) =>
        (Filters.Count == 0 || Filters.Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: true)))
        && (Categories.Count == 0 || Categories.Contains(category));
}
