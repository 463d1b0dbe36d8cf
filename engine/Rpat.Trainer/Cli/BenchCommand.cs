using System.CommandLine;
using Rpat.Trainer.Bench;

namespace Rpat.Trainer.Cli;

/// <summary><c>rpat bench step</c> and <c>bench data</c>: how fast a configuration trains and loads on
/// this machine, and where the time goes.</summary>
internal sealed class BenchCommand
{
    private const int Repetitions = 5;
    private const string StepName = "step", DataName = "data";

    private readonly CommandContext _host;
    private readonly BenchOutput _output;
    private readonly ConfigOptions _options = new();

    private readonly Option<string[]> _items = new("--items")
    {
        Description = $"what to time: {string.Join(", ", StepBench.Items)}; all if not given",
        HelpName = "ITEM,…",
        CustomParser = result => [.. result.Tokens.SelectMany(
            token => token.Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))],
    };

    private readonly Option<int> _rounds = new("--rounds")
    {
        Description = "how often each item is timed",
        HelpName = "N",
        DefaultValueFactory = _ => 5,
    };

    private readonly Option<bool> _profile = new("--profile") { Description = "show the share of each kind of node and size" };

    private readonly Option<bool> _threadsModel = new("--threads-model")
    { Description = "instead of timing: a model of CPUs with 4 to 64 cores, from the times of each kernel's items on one" };

    private BenchCommand(CommandContext host, string what) => (_host, _output) = (host, new BenchOutput(host, what, [what]));

    /// <summary>The command, to be added to the root.</summary>
    public static Command Create(CommandContext host) => new("bench", "Measure speed on this machine.")
    {
        KernelsCommand.Create(host), new BenchCommand(host, StepName).Step(), new BenchCommand(host, DataName).Data(),
        PtxCommand.Create(host), CommCommand.Create(host),
    };

    private Command Step()
    {
        var step = new Command(StepName, "Time the training step of a recipe or configuration on random images of its data set's size.")
            { _items, _profile, _threadsModel };
        return Shared(step, RunStep);
    }

    private Command Data() =>
        Shared(new Command(DataName,
        "Time how a recipe's or configuration's data set is opened and its batches are made, with each augmentation."), RunData);

    private Command Shared(Command command, Func<ParseResult, int> run)
    {
        command.Add(_rounds);
        _output.AddTo(command);
        _options.AddTo(command);
        command.SetAction(run);
        return command;
    }

    private int RunStep(ParseResult parsed)
    {
        var request = _output.Read(parsed);
        string[] items = [.. Checked(parsed.GetValue(_items) ?? []).Where(item => request.Wants(item, StepName))];
        int rounds = Rounds(parsed);
        var config = ConfigResolver.Resolve(_options.Sources(parsed, _host)).Config;
        if (parsed.GetValue(_threadsModel))
        {
            _output.RefuseJson(parsed, _threadsModel.Name);
            parsed.RefuseOptions($"does not go with {_threadsModel.Name}", _profile);
            return ThreadsTable.Write(config, items, rounds, _host.Out);
        }
        using var bench = new StepBench(config);
        using var watch = GpuWatch.Of(bench.Device, _host);
        request.Talk.WriteLine(bench.Description);
        List<BenchRow> rows = [];
        foreach (string item in items)
        {
            rows.Add(bench.Time(item, rounds) with { Gpu = watch.Read() });
            BenchTable.WriteItem(rows[^1], "a batch", StepBench.Items.Max(name => name.Length), request.Talk);
            if (parsed.GetValue(_profile)) WriteProfile(bench, item, request.Talk);
        }
        return _output.Finish(request, bench.Description, rows);
    }

    private int RunData(ParseResult parsed)
    {
        var request = _output.Read(parsed);
        int rounds = Rounds(parsed);
        var bench = new DataBench(ConfigResolver.Resolve(_options.Sources(parsed, _host)).Config);
        request.Talk.WriteLine(bench.Description);
        List<BenchRow> rows = [];
        foreach (string item in bench.Items.Where(item => request.Wants(item, DataName)))
        {
            rows.Add(bench.Time(item, rounds));
            BenchTable.WriteItem(rows[^1], "for all", bench.Items.Max(name => name.Length), request.Talk);
        }
        return _output.Finish(request, bench.Description, rows);
    }

    private int Rounds(ParseResult parsed)
    {
        int rounds = parsed.GetValue(_rounds);
        return rounds is >= 1 and <= 10_000 ? rounds : throw new UsageException($"--rounds {rounds} is out of range: give 1 to 10000.");
    }

    private static void WriteProfile(StepBench bench, string item, TextWriter output)
    {
        var (profile, seconds) = bench.Profile(item, Repetitions);
        BenchTable.WriteProfile(profile, seconds, Repetitions, output);
    }

    private static string[] Checked(string[] items)
    {
        if (items.Length == 0) return [.. StepBench.Items];
        string? unknown = items.FirstOrDefault(item => !StepBench.Items.Contains(item));
        return unknown is null ? items : throw new UsageException(
            $"'{unknown}' cannot be timed: {DidYouMean.Hint(unknown, [.. StepBench.Items], "items")}");
    }
}
