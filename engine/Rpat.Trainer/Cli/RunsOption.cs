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

    /// <summary>Says which of several runs of a name is meant.</summary>
    public static void TellDoubt(CommandContext host, string name, string root)
    {
        if (RunFinder.Doubt(name, root) is { } sentence) host.Note(Printable.Line($"note: {sentence}"));
    }

    /// <summary>The folder that the environment names, or the usual one.</summary>
    public static string Folder(CommandContext host) =>
        _variables.Select(name => host.Environment.GetValueOrDefault(name)).FirstOrDefault(folder => folder is { Length: > 0 })
        ?? ConfigKeys.Of(c => c.Run.Out).Default;
}
