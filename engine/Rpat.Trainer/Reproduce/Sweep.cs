using Rpat.Robust.Methods;

namespace Rpat.Trainer.Reproduce;

/// <summary>One row of a sweep: a training of its own values and seed.</summary>
/// <param name="Number">From 1, as <c>--index</c> takes it.</param>
/// <param name="Values">The values that other rows have differently, by key.</param>
/// <param name="Name">The run's name, from which its folder is found again.</param>
internal sealed record SweepRow(int Number, IReadOnlyList<(string Key, string Text)> Values, long Seed, string Name);

/// <summary>
/// Trains a recipe once for each combination of values and each seed. A run is known by its name and its configuration: what is finished is
/// not trained again, and what was begun is resumed.
/// </summary>
/// <param name="given">What all rows share; its lists of values are in <paramref name="rows"/>.</param>
internal sealed class Sweep(IReadOnlyList<SweepRow> rows, ConfigSources given, CommandContext host,
    Func<string[], CommandContext, int> program)
{
    /// <summary>Arguments that each command gets besides.</summary>
    public IReadOnlyList<string> More { get; init; } = [];

    /// <summary>The folder of runs that commands look into without being told.</summary>
    public required string UsualRoot { get; init; }

    /// <summary>The options that gave lists, by their keys; the other lists are of <c>--set</c>.</summary>
    public IReadOnlyDictionary<string, string> Options { get; init; } = new Dictionary<string, string>();

    private const int MostRows = 100_000, LongestName = 90;

    /// <summary>The rows of lists of values: all combinations for the first seed, then for the next.</summary>
    /// <param name="name">What the runs' names begin with.</param>
    /// <param name="shared">Values of all rows that their names say.</param>
    /// <exception cref="UsageException">There are too many.</exception>
    public static IReadOnlyList<SweepRow> Rows(string name, IReadOnlyList<(string Key, string Text)> shared,
        IReadOnlyList<(string Key, IReadOnlyList<string> Values)> lists, IReadOnlyList<long> seeds)
    {
        if (lists.Aggregate((double)seeds.Count, (count, list) => count * list.Values.Count) is > MostRows and var many)
            throw new UsageException(FormattableString.Invariant($"the sweep has {many:0} runs, more than {MostRows}: give fewer values."));
        IEnumerable<(string Key, string Text)[]> combinations = [[]];
        foreach (var (key, values) in lists)
            combinations = combinations.SelectMany(one => values.Select(value => ((string, string)[])[.. one, (key, value)]));
        var all = from seed in seeds from values in combinations.ToList() select (seed, values);
        return [.. all.Select((row, i) => new SweepRow(i + 1, row.values, row.seed, NameOf(name, [.. row.values, .. shared], row.seed)))];
    }

    /// <summary>The given values by which a sweep's runs differ from those of another sweep of the recipe.</summary>
    /// <param name="said">Keys that the names say anyway.</param>
    public static IReadOnlyList<(string Key, string Text)> Shared(ConfigSources given, IReadOnlyCollection<string> said)
    {
        var all = ConfigResolver.Partial(given);
        var recipe = ConfigResolver.Partial(new ConfigSources([], new Dictionary<string, string>(),
            [$"{ConfigKeys.Of(c => c.Recipe.Name).Path}={all.Config.Recipe.Name}"], []));
        string method = said.Contains(ConfigKeys.Of(c => c.Method.Name).Path) ? "" : all.Config.Method.Name;
        return
        [
            .. from key in ResumeRules.Differing(recipe, all).Except(said)
               let value = all.Values[key]
               where value.Text.Length > 0 && !value.Origin.StartsWith("method ", StringComparison.Ordinal) && Schema.Applies(key, method)
               select (key, value.Text),
        ];
    }

    /// <summary>Whether a row is <c>finished</c>, how its run stands, or <c>-</c> if it has none.</summary>
    public string Status(SweepRow row)
    {
        var own = Runs(row).Select(folder => RunRecord.Read(folder)?.StatusIn(folder)).ToList();
        return own.Contains("finished") ? "finished" : own.LastOrDefault() ?? "-";
    }

    /// <summary>The folders of a row's runs.</summary>
    public IEnumerable<string> Runs(SweepRow row)
    {
        var wanted = Resolved(row);
        return RunFinder.OfName(row.Name, wanted.Config.Run.Out).Where(folder => IsSame(folder, wanted));
    }

    /// <summary>Trains what is not finished, one row after another.</summary>
    /// <param name="chosen">The rows to train.</param>
    /// <returns>0, the exit code that a signal asked for, or that of the first run that failed.</returns>
    public int Run(IReadOnlyList<SweepRow> chosen)
    {
        if (chosen.Count > 1)
            SeveralTrainings.Require(host, Resolved(chosen[0]).Config.Run.Transport, "train one row by --index");
        int first = ExitCode.Done;
        foreach (var row in chosen)
        {
            string title = FormattableString.Invariant($"[{row.Number}/{rows.Count}] {row.Name}");
            if (Status(row) == "finished")
            {
                host.Note($"{title}: finished earlier");
                continue;
            }
            string[] command = Command(row);
            host.Note($"{title}: rpat {ShellWord.Line(command)}");
            int code = program(command, host with { IsPart = true });
            if (ExitCode.IsStop(code) || code == ExitCode.LimitMissed) return code;
            if (code != ExitCode.Done) host.Warn($"{title}: failed{(row == chosen[^1] ? "" : ", and the others go on")}");
            if (first == ExitCode.Done) first = code;
        }
        int finished = rows.Count(row => Status(row) == "finished");
        host.Note(
            FormattableString.Invariant($"{finished} of {rows.Count} runs are finished; compare them: rpat {ShellWord.Line(Table())}"));
        return first;
    }

    // The rows that differ in their seeds only are one line.
    private string[] Table()
    {
        string[] keys = [.. rows.SelectMany(row => row.Values.Select(value => value.Key)).Distinct()];
        string root = Resolved(rows[0]).Config.Run.Out;
        return
        [
            "runs", "list", "--group-by", keys.Length == 0 ? ConfigKeys.Of(c => c.Method.Name).Path : string.Join(',', keys),
            .. root == UsualRoot ? Array.Empty<string>() : ["--runs", root],
        ];
    }

    /// <summary>The command that trains a row, or resumes it.</summary>
    public string[] Command(SweepRow row) =>
    [
        "train", .. given.Files.SelectMany(file => new[] { "-c", file }),
        .. Values(row).SelectMany(value => new[] { ConfigSources.Option, $"{value.Key.Path}={value.Text}" }),
        "--name", row.Name, "--resume", "auto", .. More,
    ];

    /// <summary>What a row trains: equal for two rows whose runs would be the same but for their names.</summary>
    public string Training(SweepRow row)
    {
        var resolved = Resolved(row);
        ConfigKey name = ConfigKeys.Of(c => c.Method.Name);
        string method = resolved.Config.Method is { Rpat.Weight: 0 } of ? MethodCatalog.BaseName(of.Name) : resolved.Config.Method.Name;
        return string.Join('\n', resolved.Values.Values
            .Where(value => value.Path != ConfigKeys.Of(c => c.Run.Name).Path && value.Path != name.Path
            && Schema.Applies(value.Path, method))
            .Select(value => $"{value.Path}={value.Text}").Prepend(method));
    }

    /// <summary>The configuration of a row.</summary>
    /// <exception cref="ConfigException">A value is wrong.</exception>
    public ResolvedConfig Resolved(SweepRow row)
    {
        var resolved = ConfigResolver.Resolve(
            given with { Sets = [], Flags = [.. Values(row), ("--name", ConfigKeys.Of(c => c.Run.Name), row.Name)] });
        return NetworkPaths.Latest(resolved) is { } key
            ? throw new ConfigException(
                $"{key.Path} is '{resolved.Values[key.Path].Text}', which is another run after each of a sweep: name the run.")
            : NetworkPaths.Settled(resolved);
    }

    // One layer, as the command of a row has it.
    private IEnumerable<(string Flag, ConfigKey Key, string Text)> Values(SweepRow row) =>
    [
        .. Layers.Sets(given.Sets).Entries.Values.Select(value => (value.Origin, Schema.Find(value.Path, value.Origin), value.Text)),
        .. given.Flags,
        .. from value in row.Values
           let option = Options.GetValueOrDefault(value.Key, ConfigSources.Option)
           select (option, Schema.Find(value.Key, option), value.Text),
        ("--seeds", ConfigKeys.Of(c => c.Train.Seed), row.Seed.ToString(CultureInfo.InvariantCulture)),
    ];

    private static bool IsSame(string folder, ResolvedConfig wanted)
    {
        try
        {
            var before = ConfigResolver.Resolve([Layers.Defaults(), Layers.File(Path.Combine(folder, RunFolder.ConfigName))]);
            return NetworkPaths.Latest(before) is null && ResumeRules.Differing(NetworkPaths.Settled(before), wanted).Count == 0;
        }
        catch (ConfigException)
        {
            return false;
        }
    }

    private static string NameOf(string name, IReadOnlyList<(string Key, string Text)> values, long seed)
    {
        string method = values.FirstOrDefault(value => value.Key == ConfigKeys.Of(c => c.Method.Name).Path).Text ?? "";
        values = [.. values.Where(value => Schema.Applies(value.Key, method))];
        var parts = values.Select(value => value.Key[(value.Key.LastIndexOf('.') + 1)..] is var last && last == "name" ? value.Text
            : last + value.Text);
        string whole = string.Join('-', [name, .. parts, FormattableString.Invariant($"s{seed}")]);
        string safe = string.Concat(whole.Select(c => char.IsAsciiLetterOrDigit(c) || "._+-".Contains(c) ? c : '_'));
        bool isPlain = safe == whole && safe.Length <= LongestName && values.Select(value => value.Key).DistinctBy(
            key => key[(key.LastIndexOf('.') + 1)..]).Count() == values.Count;
        return isPlain ? safe
            : $"{safe[..Math.Min(safe.Length, LongestName - 9)]}-{EvaluationManifest.ShortHash(string.Join('|', values) + whole)}";
    }
}
