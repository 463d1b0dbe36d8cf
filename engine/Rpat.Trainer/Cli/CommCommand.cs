using System.CommandLine;
using Rpat.Trainer.Bench;
using Rpat.Trainer.Distributed;

namespace Rpat.Trainer.Cli;

/// <summary><c>rpat bench comm</c>: how fast processes exchange what training exchanges, and a model of more of them.</summary>
internal sealed class CommCommand
{
    private const string Name = "comm";

    private static readonly int[] _gpus = [8, 64, 512];

    private readonly CommandContext _host;
    private readonly BenchOutput _output;

    private readonly Option<string[]> _models = new("--model", "-m")
    {
        Description = "a network whose sizes are exchanged; repeatable",
        HelpName = "NAME",
        DefaultValueFactory = _ => ["preactresnet18", "wideresnet34-10"],
    };

    private readonly Option<int> _rounds = new("--rounds")
    { Description = "how often each item is timed", HelpName = "N", DefaultValueFactory = _ => 5 };

    private readonly Option<int> _processes = new("--nproc")
    { Description = "processes to start on this machine if no launcher has", HelpName = "N", DefaultValueFactory = _ => 2 };

    private readonly Option<TransportKind> _transport = new("--transport")
    { Description = "what carries the values, as run.transport; auto by default", HelpName = "auto|mpi|nccl|tcp" };

    private readonly Option<double?> _stepMs = new("--project")
    {
        Description = "time nothing; print a model of 8, 64 and 512 GPUs, of which each computes a step in MS ms, by default in the "
            + "time that others have published",
        HelpName = "MS",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<int> _views = new("--views")
    { Description = "for --project: training-mode passes per step", HelpName = "N", DefaultValueFactory = _ => 1 };

    private readonly Option<double> _share = new("--backward-share")
    {
        Description = "for --project: share of a step in its last backward pass, behind which gradients travel",
        HelpName = "SHARE",
        DefaultValueFactory = _ => 0.5,
    };

    private readonly Option<double> _gbit = new("--gbit")
    { Description = "for --project: speed of each GPU's link in Gbit/s", HelpName = "N", DefaultValueFactory = _ => 98.4 };

    private readonly Option<double> _microseconds = new("--latency")
    {
        Description = "for --project: microseconds from sending a small message to receiving it",
        HelpName = "US",
        DefaultValueFactory = _ => 5,
    };

    private readonly Option<double> _gap = new("--gap")
    { Description = "for --project: microseconds from one message to the next of a sender", HelpName = "US", DefaultValueFactory = _ => 1 };

    private CommCommand(CommandContext host) =>
        (_host, _output) = (host, new BenchOutput(host, Name, CommBench.Categories));

    /// <summary>The command, to be added to <c>rpat bench</c>.</summary>
    public static Command Create(CommandContext host) => new CommCommand(host).Build();

    private Command Build()
    {
        var command = new Command(Name, "Time what processes exchange, over the transport that training would use.")
            { _models, _rounds, _processes, _transport, _stepMs, _views, _share, _gbit, _microseconds, _gap };
        _output.AddTo(command);
        command.SetAction(Run);
        return command;
    }

    private int Run(ParseResult parsed)
    {
        var networks = parsed.GetValue(_models)!.Select(Network.Of).ToList();
        if (parsed.GetResult(_stepMs) is not null) return Project(parsed, networks);
        parsed.RefuseOptions("is for --project: give that too, or leave it out", _views, _share, _gbit, _microseconds, _gap);
        if (parsed.GetValue(_rounds) is not (>= 1 and <= 10_000) || parsed.GetValue(_processes) is not (>= 1 and <= 1024))
            throw new UsageException("--rounds is 1 to 10000 and --nproc 1 to 1024: give such numbers.");
        var launched = Launcher.Find(_host.Environment, _host.ErrorIsTerminal);
        var place = launched ?? ProcessGroupSetup.First(parsed.GetValue(_processes));
        string said = string.Join('\n', parsed.GetValue(_models)!.Append(MachineInfo.ProgramVersion()));
        var options = new ProcessGroupOptions(MachineInfo.ProgramVersion(), said)
        { Token = _host.Environment.GetValueOrDefault(ProcessGroupSetup.TokenVariable) ?? "", Note = _host.Warn };
        Transport Choose() => Transport.Choose(parsed.GetValue(_transport), place, options, _host.Environment);
        if (place.Rank > 0) return WorkerSession.Run(place, _host, Choose, (group, _) => Measure(parsed, networks, group, null));
        if (place.Size == 1) return Measure(parsed, networks, TcpProcessGroup.Alone(), "one process alone");
        var transport = Choose();
        string on = FormattableString.Invariant($"{place.Description}, over {transport.Description}");
        var (team, workers) = launched is null ? Workers.Launch(transport, [.. parsed.Tokens.Select(token => token.Value)])
            : (transport.Join(), null);
        using (workers)
        using (team)
        {
            using var report = new LossReport(team, place, _host.Error);
            return Measure(parsed, networks, team, on);
        }
    }

    // Ranks other than 0 have no text and do the same.
    private int Measure(ParseResult parsed, List<Network> networks, IProcessGroup group, string? on)
    {
        var request = _output.Read(parsed);
        var bench = new CommBench(group, networks.Select(net => (net.Name, net.Parameters, net.Channels)));
        if (on is not null) request.Talk.WriteLine(on);
        List<BenchRow> rows = [];
        int width = bench.Items.Max(item => item.Name.Length);
        foreach (var (name, category) in bench.Items.Where(item => request.Wants(item.Name, item.Category)))
        {
            rows.Add(bench.Time(name, parsed.GetValue(_rounds)));
            if (on is not null) Write(rows[^1], width, request.Talk);
        }
        if (on is not null && bench.Checked > 0)
            request.Talk.WriteLine(FormattableString.Invariant(
                $"checked: {bench.Checked} of the all-reduces, whose sums have the bits of adding in rank order"));
        return on is null ? ExitCode.Done : _output.Finish(request, on, rows);
    }

    private static void Write(BenchRow row, int width, TextWriter output) => output.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"{row.Name.PadRight(width)} {row.Bytes / 1e6,10:F3} MB {row.Median * 1e6,12:F1} µs {row.Bytes / row.Median / 1e9,9:F3} GB/s  "
            + $"(median of {row.Seconds.Count}, {row.Seconds[0] * 1e6:F1}–{row.Seconds[^1] * 1e6:F1} µs)"));

    private int Project(ParseResult parsed, List<Network> networks)
    {
        _output.RefuseJson(parsed, _stepMs.Name);
        _output.RefuseChoice(parsed, _stepMs.Name);
        parsed.RefuseOptions($"does not go with {_stepMs.Name}, which measures nothing", _rounds, _processes, _transport);
        if (parsed.GetValue(_stepMs) is null)
            parsed.RefuseOptions($"is for a step of one's own: give its milliseconds, as in {_stepMs.Name} 300", _views, _share);
        double gbit = parsed.GetValue(_gbit), latency = parsed.GetValue(_microseconds), gap = parsed.GetValue(_gap);
        var models = networks.SelectMany(net => Steps(parsed, net).Select(step => (step, Model: new ScalingModel(net.Parameters,
            step.Views * net.Norms, step.Ms / 1e3, step.Share, gbit / 8 * 1e9, latency / 1e6, gap / 1e6)))).ToList();
        bool areSound = gbit > 0 && latency >= 0 && gap >= 0
            && models.All(row => row.step is { Ms: > 0, Views: >= 1, Share: >= 0 and <= 1 });
        if (!areSound || !double.IsFinite(gbit + latency + gap + models.Sum(row => row.step.Ms)))
            throw new UsageException(
                "--project, --gbit and --views are above 0, --latency and --gap not below, --backward-share is 0 to 1: give such numbers.");
        _host.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"A model, not a measurement: links of {gbit:0.###} Gbit/s and {latency:0.###} µs, a message {gap:0.###} µs after another."));
        _host.Out.WriteLine("Gradients travel behind the backward pass: a step takes less than the sum of its parts.");
        foreach (var (step, model) in models)
        {
            _host.Out.WriteLine();
            string what = step.Source.Length > 0 ? "128 images" : "a step";
            _host.Out.WriteLine(FormattableString.Invariant($"{step.Network}, {what} in {step.Ms:0.###} ms on each GPU{step.Source}"));
            foreach (int n in _gpus) Write(model, n);
        }
        return ExitCode.Done;
    }

    private IEnumerable<(string Network, double Ms, int Views, double Share, string Source)> Steps(ParseResult parsed, Network net)
    {
        if (parsed.GetValue(_stepMs) is { } ms)
            return [(net.Name, ms, parsed.GetValue(_views), parsed.GetValue(_share), "")];
        var published = PublishedStep.All.Where(step => step.Network == net.Name).ToList();
        if (published.Count == 0)
            throw new UsageException($"no step of {net.Name} that was measured is known: measure one by 'rpat bench step' and give its "
                + "milliseconds to --project.");
        return published.Select(step =>
            (net.Name, step.Milliseconds, PublishedStep.Views, PublishedStep.BackwardShare, $" ({step.Gpu}):\n  {step.Source}"));
    }

    private void Write(ScalingModel model, int gpus) => _host.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"{gpus,5} GPUs {model.BytesPerStep(gpus) / 1e6,8:F1} MB sent by each per step "
            + $"{model.TrafficSeconds(gpus) * 1e3,8:F2} ms of gradients {model.WaitSeconds(gpus) * 1e3,8:F2} ms of batch norms "
            + $"{model.StepSeconds(gpus) * 1e3,9:F2} ms per step "
            + $"{100 * model.Efficiency(gpus),6:F1} % of linear"));

    /// <summary>A network's sizes.</summary>
    /// <param name="Channels">The most channels of a layer.</param>
    /// <param name="Norms">Its batch norms.</param>
    private sealed record Network(string Name, long Parameters, int Channels, int Norms)
    {
        public static Network Of(string typed)
        {
            string name = CatalogNames.ModelOf(typed);
            using var shapes = new MetaDevice();
            var net = ModelCatalog.Build(shapes, new ModelSpec(name, ImageSize.Parse("--input", "3x32x32"), 10), seed: 0);
            int channels = net.Parameters.Parameters.Where(p => p.Dimensions.Count == 1).Max(p => p.Dimensions[0]);
            return new Network(name, net.Parameters.Count, channels, net.BatchNorms.Count);
        }
    }
}
