using System.CommandLine;
using Rpat.Trainer.Reproduce;

namespace Rpat.Trainer.Cli;

/// <summary><c>rpat sweep RECIPE --set KEY=A,B --seeds 1..3</c>: trains all combinations of values and
/// seeds, as runs that can be resumed.</summary>
internal sealed class SweepCommand
{
    private readonly CommandContext _host;
    private readonly Func<string[], CommandContext, int> _program;
    private readonly ConfigOptions _options = new();
    private readonly Argument<string?> _recipe = new("RECIPE")
    { Description = "recipe to start from; see 'rpat recipes'", Arity = ArgumentArity.ZeroOrOne };
    private readonly Option<string?> _seeds = new("--seeds")
    { Description = "a run of each combination for each seed; the recipe's by default", HelpName = "1,2,3|1..3" };
    private readonly Option<int?> _index = new("--index")
    { Description = "train this row only, from 1: the index of a job array's task", HelpName = "N" };
    private readonly Option<bool> _list = new("--list") { Description = "print the rows and how they stand, and stop" };
    private readonly JsonOption _json = new();

    private static readonly string[] _inRunName =
        [ConfigKeys.Of(c => c.Method.Name).Path, ConfigKeys.Of(c => c.Data.Name).Path, ConfigKeys.Of(c => c.Model.Name).Path];

    private SweepCommand(CommandContext host, Func<string[], CommandContext, int> program) => (_host, _program) = (host, program);

    /// <summary>The command, to be added to the root.</summary>
    public static Command Create(CommandContext host, Func<string[], CommandContext, int> program)
    {
        var sweep = new SweepCommand(host, program);
        var command = new Command("sweep",
            "Train a recipe for lists of values (--set KEY=A,B, --lr A,B) and seeds; "
            + "repeated, it skips what is finished and resumes the rest.")
            { sweep._recipe, sweep._seeds, sweep._index, sweep._list, sweep._json.Option };
        sweep._options.AddTo(command);
        command.SetAction(sweep.Run);
        return command;
    }

    private int Run(ParseResult parsed)
    {
        var (rows, sweep) = Read(parsed);
        foreach (var row in rows) _ = sweep.Resolved(row); // a wrong value of the last row is found before the first is trained
        if (parsed.GetValue(_list))
        {
            parsed.RefuseOptions($"does not go with {_list.Name}, which has all rows", _index);
            return List(parsed, rows, sweep);
        }
        _json.Refuse(parsed, "a sweep that trains ('rpat runs list --json' has its results)");
        int? index = parsed.GetValue(_index);
        if (index < 1 || index > rows.Count)
            throw new UsageException($"--index is {index}, and the sweep has {rows.Count} rows: give 1 to {rows.Count}.");
        return sweep.Run(index is { } one ? [rows[one - 1]] : rows);
    }

    private int List(ParseResult parsed, IReadOnlyList<SweepRow> rows, Sweep sweep)
    {
        _json.Give(parsed, _host, () => rows.Select(row => new
        {
            index = row.Number,
            row.Name,
            values = row.Values.ToDictionary(value => value.Key, value => value.Text),
            row.Seed,
            status = sweep.Status(row),
            command = sweep.Command(row),
        }), () => new TextTable(["index", .. rows[0].Values.Select(value => value.Key), "seed", "status", "name"],
        [
            .. rows.Select(row => (string[])[$"{row.Number}", .. row.Values.Select(value => value.Text),
                row.Seed.ToString(CultureInfo.InvariantCulture), sweep.Status(row), row.Name]),
        ])
        { Spare = ["name"] }.Show(_host));
        return ExitCode.Done;
    }

    private (IReadOnlyList<SweepRow> Rows, Sweep Sweep) Read(ParseResult parsed)
    {
        var sources = _options.Sources(parsed, _host);
        ConfigKey name = ConfigKeys.Of(c => c.Run.Name), recipe = ConfigKeys.Of(c => c.Recipe.Name);
        List<(string Flag, ConfigKey Key, string Text)> flags = [.. sources.Flags.Where(flag => flag.Key != name)];
        if (parsed.GetValue(_recipe) is { } typed) flags.Insert(0, ("RECIPE", recipe, RecipeLibrary.Find(typed, "RECIPE").Name));
        if (flags.FirstOrDefault(flag => flag.Key == ConfigKeys.Of(c => c.Train.Seed)) is { Flag: { } seed } given)
            throw new UsageException($"a sweep takes its seeds from --seeds, not from {seed}: give --seeds {given.Text}.");
        var lists = sources.Sets.Select(Values).ToList();
        Dictionary<string, string> options = [];
        foreach (var flag in flags.Where(flag => Values($"{flag.Key.Path}={flag.Text}").Values.Count > 1).ToList())
        {
            flags.Remove(flag);
            options[flag.Key.Path] = flag.Flag;
            lists.RemoveAll(list => list.Key == flag.Key.Path);
            lists.Add(Values($"{flag.Key.Path}={flag.Text}"));
        }
        if (flags.All(flag => flag.Key != recipe) && lists.All(list => list.Key != recipe.Path) && sources.Files.Count == 0)
            throw new UsageException("nothing says what to train: give a RECIPE ('rpat recipes' lists them) or -c FILE.");
        var shared = sources with
        {
            Flags = flags,
            Sets = [.. lists.Where(l => l.Values.Count == 1).Select(l => $"{l.Key}={l.Values[0]}")]
        };
        var config = ConfigResolver.Partial(shared).Config;
        string own = sources.Flags.FirstOrDefault(flag => flag.Key == name).Text ?? config.Run.Name;
        IReadOnlyList<long> seeds = parsed.GetValue(_seeds) is { } text ? SeedList.Parse(text) : [config.Train.Seed];
        lists.RemoveAll(list => list.Values.Count == 1);
        string[] said = [.. lists.Select(list => list.Key), .. own.Length > 0 ? [] : _inRunName];
        IReadOnlyList<SweepRow> Named(params IReadOnlyList<(string, string)> shared) =>
            Sweep.Rows(own.Length > 0 ? own : config.RunName, shared, lists, seeds);
        Sweep Of(IReadOnlyList<SweepRow> rows) => new(rows, WithTerm(shared), _host, _program)
        { More = [.. PluginOption.Given(parsed)], UsualRoot = RunsOption.Folder(_host), Options = options };
        var all = Kept(Named(Sweep.Shared(shared, said)), Named(), Of);
        List<SweepRow> rows = [.. all.DistinctBy(Of(all).Training).Select((row, i) => row with { Number = i + 1 })];
        if (rows.Count < all.Count)
            _host.Note(
                $"note: {all.Count - rows.Count} of {all.Count} rows are left out: they train the same as others, since their method "
                + "has no perception term or its weight is 0");
        return (rows, Of(rows));
    }

    // Runs of earlier versions keep their names, which did not have what all rows share.
    private static IReadOnlyList<SweepRow> Kept(IReadOnlyList<SweepRow> rows, IReadOnlyList<SweepRow> before,
        Func<IReadOnlyList<SweepRow>, Sweep> of) => rows[0].Name == before[0].Name ? rows
        : [.. rows.Zip(before, (row, old) => of(before).Runs(old).Any() ? old : row)];

    // --rpat changes the method that the other sources name, which every row then has by its name.
    private static ConfigSources WithTerm(ConfigSources shared) => shared.Rpat is null ? shared : shared with
    {
        Rpat = null,
        Flags = [.. shared.Flags.Where(flag => flag.Key != ConfigKeys.Of(c => c.Method.Name)),
            ("--rpat", ConfigKeys.Of(c => c.Method.Name), ConfigResolver.Partial(shared).Config.Method.Name)],
    };

    // The values of a key that takes a list itself are parted by semicolons.
    private static (string Key, IReadOnlyList<string> Values) Values(string set)
    {
        var (path, entry) = Layers.Sets([set]).Entries.Single();
        bool isList = Schema.Find(path, "--set").IsList, semicolons = isList || entry.Text.Contains(';');
        string[] values = entry.Text.Split(semicolons ? ';' : ',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return (path, values.Length == 0 ? [entry.Text] : [.. values.Distinct()]);
    }
}
