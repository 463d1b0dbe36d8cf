using System.CommandLine;
using Rpat.Trainer.Bench;
using Rpat.Trainer.Distributed;
using Rpat.Trainer.View;

namespace Rpat.Trainer.Cli;

/// <summary><c>rpat train</c>: trains from a configuration, from the beginning or from where a run stopped.</summary>
internal sealed class TrainCommand
{
    private const string Automatic = "auto";

    private readonly CommandContext _host;
    private readonly ConfigOptions _options = new();

    private readonly Option<bool> _dryRun = new("--dry-run")
    {
        Description = "print the resolved configuration and what the run will need, from a short measurement, and stop",
    };

    private readonly Option<string?> _resume = new("--resume")
    {
        Description = "resume a run (its folder or name), or with 'auto' the newest unfinished one of the same name if there is one",
        HelpName = "RUN|auto",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<string[]> _allow = new("--allow-change")
    {
        Description = "a key that may differ from the resumed run's although it changes the result; repeatable",
        HelpName = "KEY",
    };

    private readonly JsonOption _json = new();

    private TrainCommand(CommandContext host) => _host = host;

    /// <summary>The command, to be added to the root.</summary>
    public static Command Create(CommandContext host) => new TrainCommand(host).Build();

    private Command Build()
    {
        var command = new Command("train", "Train a network from a recipe, files, the environment and options, and measure it.")
            { _dryRun, _resume, _allow, _json.Option };
        _options.AddTo(command);
        command.SetAction(Run);
        return command;
    }

    private int Run(ParseResult parsed)
    {
        using var held = StopRequest.HoldSaves();
        var place = Launcher.Find(_host.Environment, _host.ErrorIsTerminal);
        bool dry = parsed.GetValue(_dryRun), isFirst = place is null or { Rank: 0 };
        if (dry && !isFirst) return ExitCode.Done;
        var sources = _options.Sources(parsed, isFirst ? _host : _host with { Error = TextWriter.Null });
        if (!isFirst) return WorkerSession.Run(place!, _host, () => TransportOf(place!, sources, parsed));
        if (dry) _json.Refuse(parsed, "--dry-run");
        if (dry) return PrintDryRun(Processes.Plan(Plan(parsed, sources), place));
        bool hasSrun = Processes.HasSrun(_host.Environment);
        if (Launcher.Warning(_host.Environment, hasSrun, _host.ErrorIsTerminal) is { } warning) _host.Warn(warning);
        var transport = place is null ? null : TransportOf(place, sources, parsed); // whose errors are those of all ranks
        RunPlan plan;
        try
        {
            plan = Processes.Plan(Plan(parsed, sources), place).Settled(_host.Note);
            if (place is not null && plan.Folder is { } earlier) RunPlan.RequireCheckpoint(earlier);
        }
        catch (Exception error) when (transport is { Mpi: not null })
        {
            int code = ErrorOutput.Print(error, _host.Error, details: _host.Loudness.Level == LogLevel.Debug, plugins: _host.Plugins);
            transport.Refuse(error);
            return code;
        }
        if (plan is { IsSame: true, Folder: { } done } && place is null && Checkpointer.IsWhole(done, plan.Resolved.Config))
            return Finished(done, parsed);
        return plan.Resolved.Config.Run.Processes == 1 ? Train(plan, parsed, null) : TrainTogether(plan, parsed, place, sources);
    }

    // By what every rank can resolve by itself, which a resumed run's own configuration is not.
    private Transport TransportOf(ProcessRank place, ConfigSources sources, ParseResult parsed)
    {
        var resolved = Resumed(parsed) is null or Automatic ? ConfigResolver.Resolve(sources) : ConfigResolver.Partial(sources);
        var options = ProcessGroupSetup.Options(resolved, _host.Environment.GetValueOrDefault(ProcessGroupSetup.TokenVariable), _host.Warn);
        return Transport.Choose(resolved.Config.Run.Transport, place, options, _host.Environment);
    }

    // The run to resume, or null.
    private string? Resumed(ParseResult parsed) => parsed.GetResult(_resume) is null ? null : parsed.GetValue(_resume) ?? Automatic;

    private RunPlan Plan(ParseResult parsed, ConfigSources sources)
    {
        string[] allowed = parsed.GetValue(_allow) ?? [];
        if (Resumed(parsed) is not { } name)
        {
            var plan = new RunPlan(Complete(sources));
            var config = plan.Resolved.Config;
            if (config.Run.Name.Length > 0 && RunFinder.Unfinished(config.RunName, config.Run.Out) is { } open && !RunFolder.IsOpen(open))
                _host.Note($"note: '{open}' is unfinished: --resume would resume it; this is another run");
            return plan;
        }
        if (name == Automatic) return RunPlan.Automatic(Complete(sources), allowed);
        var resumed = RunPlan.Named(name, sources, allowed);
        RunsOption.TellDoubt(_host, name, resumed.Resolved.Config.Run.Out);
        return resumed;
    }

    private int PrintDryRun(RunPlan plan)
    {
        var resolved = plan.Resolved;
        int processes = resolved.Config.Run.Processes;
        var config = processes == 1 ? resolved.Config : ProcessGroupSetup.Local(resolved.Config, ProcessGroupSetup.First(processes));
        using var run = Training.Run.Open(config, resumes: plan.Folder is not null);
        _host.Out.Write(ConfigWriter.Write(resolved));
        foreach (string note in run.Notes.Concat(SuspectValues.Unread(resolved))) _host.Out.WriteLine($"# {note}");
        _host.Note("measuring a few training steps and a short attack for the forecast");
        _host.Out.Write(CostEstimate.Of(run).Comments());
        return ExitCode.Done;
    }

    // Data and model come first: their errors are reported before a run folder exists.
    private int Train(RunPlan plan, ParseResult parsed, IProcessGroup? group, string? description = null)
    {
        var config = plan.Resolved.Config;
        using var stop = new StopRequest();
        if (group is not null) stop.Leave = Environment.Exit; // NCCL may wait for a rank that is lost; the console takes over later
        var team = new RunProcessGroup(group, stop, description);
        return team.ForAll(() =>
        {
            new FirstUse(_host).Require(config.Device.Name, config.Device.Precision);
            using var run = Training.Run.Open(config, team, resumes: plan.Folder is not null);
            if (plan.Folder is null && config.Run.CheckDisk) DiskNeed.Of(run).Require(config.Run.Out);
            using var session = new TrainingSession(plan, run.Compute(), ["rpat", .. Arguments(parsed)], _host.Clock,
                PluginOption.Files(parsed));
            int code = new TrainConsole(session, stop, StdoutOrStderr(parsed)).Run(view => session.Train(run, view));
            if (code == ExitCode.Done) _json.Give(parsed, _host,
                () => new { run = session.Folder.Path, results = RunResult.Read(session.Folder.Path) }, () => { });
            return code;
        });
    }

    private int Finished(string folder, ParseResult parsed)
    {
        RunFolder.Reopen(folder, _host.Clock).Dispose(); // it must be a whole run that nobody has open
        var results = RunResult.Read(folder);
        _host.Note($"'{RunFinder.Shown(folder)}' is finished, and no setting differs: nothing is left to train");
        _json.Give(parsed, _host, () => new { run = folder, results }, () =>
        {
            foreach (var result in results) ResultTable.Write(result, _host.Out);
        });
        return ExitCode.Done;
    }

    // Rank 0 alone resolves, writes and shows; the others get its configuration.
    private int TrainTogether(RunPlan plan, ParseResult parsed, ProcessRank? launched, ConfigSources sources)
    {
        var place = launched ?? ProcessGroupSetup.First(plan.Resolved.Config.Run.Processes);
        var transport = TransportOf(place, sources, parsed);
        if (transport.Warning is { } open) _host.Warn(open);
        if (launched is null && ProcessGroupSetup.SharedGpus(plan.Resolved.Config.Device.Name, place.Size) is { } shared)
            _host.Warn(shared);
        var (team, workers) = launched is null ? Workers.Launch(transport, Arguments(parsed)) : (transport.Join(), null);
        using (workers)
        using (team)
        {
            using var report = new LossReport(team, place, _host.Error);
            team.BroadcastBytes(Encoding.UTF8.GetBytes(ConfigWriter.Write(plan.Resolved)));
            var config = ProcessGroupSetup.Local(plan.Resolved.Config, place);
            return Train(plan with { Resolved = plan.Resolved with { Config = config } }, parsed, team,
                ProcessGroupSetup.Description(place, transport.Description, config));
        }
    }

    private static string[] Arguments(ParseResult parsed) => [.. parsed.Tokens.Select(token => token.Value)];

    // If stdout is for JSON alone, the table goes to stderr. Otherwise losing the table is not a failure: the folder holds all of it.
    private CommandContext StdoutOrStderr(ParseResult parsed) =>
        _host with { Out = _json.TakesStdout(parsed) ? _host.Error : _host.Out is ShownText shown ? shown.Optional : _host.Out };

    private static string Summary(TrainerConfig config)
    {
        var (train, attack, lr) = (config.Train, config.Attack, Format.Number(config.Optimizer.Lr));
        return string.Create(CultureInfo.InvariantCulture, $"{config.Method.Name}, {config.Model.Name}, ")
            + $"{Format.Count(train.Epochs, "epoch")} of batches "
            + string.Create(CultureInfo.InvariantCulture,
            $"of {train.Batch}, lr {lr}, {attack.Norm.Name} eps {Format.Pixels(attack.Eps)} in ")
            + string.Create(CultureInfo.InvariantCulture, $"{Format.Count(attack.Steps, "step")} of {Format.Pixels(attack.Step)}");
    }

    // Defaults alone would train something that was not requested: at least the data must be named.
    private ResolvedConfig Complete(ConfigSources sources)
    {
        var given = ConfigResolver.Partial(sources);
        if (sources.Files.Count == 0 && given.Config.Recipe.Name.Length == 0
            && given.Values[ConfigKeys.Of(c => c.Data.Name).Path].Origin == "default") throw new UsageException(
            "nothing says what to train: give --recipe NAME ('rpat recipes' lists them), --data NAME or -c FILE.");
        var resolved = ConfigResolver.Resolve(sources);
        if (resolved.Values.Values.Any(value => value.Origin == RecipeLibrary.PgdAtOrigin))
            _host.Note($"note: no recipe, so what is not set is PGD-AT's published setting; this is {Summary(resolved.Config)}");
        return resolved;
    }
}
