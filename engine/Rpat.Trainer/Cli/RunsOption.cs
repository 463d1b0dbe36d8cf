using System.CommandLine;

namespace Rpat.Trainer.Cli;

/// <summary><c>--runs</c>: the folder of the runs that a command names; <c>RPAT_RUNS</c> is its default.</summary>
internal static class RunsOption
{
    private static readonly string[] _variables = ["RPAT__RUN__OUT", "RPAT_RUNS"];

    /// <summary>Makes the option.</summary>
    public static Option<string> Create(CommandContext host) => new("--runs")
    {
        Description = "folder of the runs, or RPAT_RUNS",
        HelpName = "DIR",
        DefaultValueFactory = _ => Folder(host),
    };

    /// <summary>The folder that the environment names, or the usual one.</summary>
    public static string Folder(CommandContext host) =>
        _variables.Select(name => host.Environment.GetValueOrDefault(name)).FirstOrDefault(folder => folder is { Length: > 0 })
        ?? ConfigKeys.Of(c => c.Run.Out).Default;
}
