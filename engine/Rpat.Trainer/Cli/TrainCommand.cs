using System.CommandLine;
using Rpat.Trainer.Config;
using Rpat.Trainer.Errors;
using Rpat.Trainer.Training;

namespace Rpat.Trainer.Cli;

/// <summary><c>rpat train</c>: resolves a configuration and shows it.</summary>
internal sealed class TrainCommand
{
    private readonly Host _host;
    private readonly ConfigOptions _options = new();

    private readonly Option<bool> _dryRun = new("--dry-run")
    {
        Description = "print the resolved configuration, with the origin of each value, and stop",
    };

    private TrainCommand(Host host) => _host = host;

    /// <summary>The command, for the root to hold.</summary>
    public static Command Create(Host host) => new TrainCommand(host).Build();

    private Command Build()
    {
        var command = new Command("train", "Train a network from a recipe, files, the environment and options, and measure it.") { _dryRun };
        _options.AddTo(command);
        command.SetAction(Run);
        return command;
    }

    private int Run(ParseResult parsed)
    {
        var sources = _options.Sources(parsed, _host);
        var resolved = ConfigResolver.Resolve(sources);
        RequireSubject(sources, resolved);
        return parsed.GetValue(_dryRun) ? Show(resolved) : Train(resolved, parsed);
    }

    private int Show(ResolvedConfig resolved)
    {
        _host.Out.Write(ConfigWriter.Write(resolved));
        return ExitCode.Done;
    }

    // Data and model come first: what is wrong with them is said before a run folder exists.
    private int Train(ResolvedConfig resolved, ParseResult parsed)
    {
        using var setup = TrainingSetup.Open(resolved.Config);
        string[] arguments = [.. parsed.Tokens.Select(token => token.Value)];
        return TrainSession.Run(resolved, setup.Compute(), arguments, _host, (config, run, view, stop) => TrainingRun.Execute(config, setup, run, view, stop));
    }

    // Defaults alone would train something nobody asked for.
    private static void RequireSubject(ConfigSources sources, ResolvedConfig resolved)
    {
        if (sources.Files.Count > 0 || resolved.Config.Recipe.Name.Length > 0) return;
        throw new UsageException("nothing says what to train: give --recipe NAME ('rpat recipes' lists them) or -c FILE.");
    }
}
