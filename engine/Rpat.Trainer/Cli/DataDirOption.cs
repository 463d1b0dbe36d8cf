using System.CommandLine;

namespace Rpat.Trainer.Cli;

/// <summary><c>--data-dir</c> of the commands that take no configuration; <c>RPAT_DATA</c> is its default.</summary>
internal static class DataDirOption
{
    /// <summary>The variable that names the folder for every command.</summary>
    public const string Variable = "RPAT_DATA";

    /// <summary>Makes the option.</summary>
    public static Option<string?> Create(CommandContext host) => new("--data-dir")
    {
        Description = $"{ConfigKeys.Of(c => c.Data.Dir).Doc}, or {Variable}",
        HelpName = "DIR",
        DefaultValueFactory = _ => host.Environment.GetValueOrDefault(Variable) is { Length: > 0 } folder ? folder : null,
    };
}
