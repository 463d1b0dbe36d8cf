using System.CommandLine;
using Rpat.Trainer.Bench;
using Rpat.Trainer.Config;
using Rpat.Trainer.Errors;

namespace Rpat.Trainer.Cli;

/// <summary><c>rpat bench step</c>: how fast a configuration trains on this machine, and where the time goes.</summary>
internal sealed class BenchCommand
{
    private const int Repetitions = 5;

    private readonly Host _host;
    private readonly ConfigOptions _options = new();

    private readonly Option<string[]> _items = new("--items")
    {
        Description = $"what to time: {string.Join(", ", StepBench.Items)}; all if not given",
        HelpName = "ITEM,…",
        CustomParser = result => [.. result.Tokens.SelectMany(token => token.Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))],
    };

    private readonly Option<int> _rounds = new("--rounds")
    {
        Description = "how often each item is timed",
        HelpName = "N",
        DefaultValueFactory = _ => 5,
    };

    private readonly Option<bool> _profile = new("--profile") { Description = "show the share of each kind of node and size" };

    private BenchCommand(Host host) => _host = host;

    /// <summary>The command, for the root to hold.</summary>
    public static Command Create(Host host) =>
        new("bench", "Measure speed on this machine.") { new BenchCommand(host).Step(), KernelsCommand.Create(host), PtxCommand.Create(host) };

    private Command Step()
    {
        var step = new Command("step", "Time the training step of a recipe or configuration on random images of its data set's size.") { _items, _rounds, _profile };
        _options.AddTo(step);
        step.SetAction(Run);
        return step;
    }

    private int Run(ParseResult parsed)
    {
        string[] items = Checked(parsed.GetValue(_items) ?? []);
        int rounds = parsed.GetValue(_rounds);
        if (rounds is < 1 or > 10_000) throw new UsageException($"--rounds {rounds} is out of range: give 1 to 10000.");
        using var bench = new StepBench(ConfigResolver.Resolve(_options.Sources(parsed, _host)).Config);
        _host.Out.WriteLine(bench.Description);
        foreach (string item in items)
        {
            BenchTable.WriteItem(item, bench.Batch, bench.Time(item, rounds), _host.Out);
            if (parsed.GetValue(_profile)) WriteProfile(bench, item);
        }
        return ExitCode.Done;
    }

    private void WriteProfile(StepBench bench, string item)
    {
        var (profile, seconds) = bench.Profile(item, Repetitions);
        BenchTable.WriteProfile(profile, seconds, Repetitions, _host.Out);
    }

    private static string[] Checked(string[] items)
    {
        if (items.Length == 0) return [.. StepBench.Items];
        string? unknown = items.FirstOrDefault(item => !StepBench.Items.Contains(item));
        return unknown is null ? items : throw new UsageException($"'{unknown}' cannot be timed: {Nearest.Hint(unknown, [.. StepBench.Items], "items")}");
    }
}
