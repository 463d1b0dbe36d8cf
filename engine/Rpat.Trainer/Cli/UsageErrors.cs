using System.CommandLine;
using System.CommandLine.Parsing;

namespace Rpat.Trainer.Cli;

/// <summary>Turns a command line that does not parse into one sentence.</summary>
internal static class UsageErrors
{
    /// <summary>The error for a failed parse; for a mistyped command or option it names the nearest one.</summary>
    public static UsageException Of(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        string help = $"see '{CommandPath(parsed.CommandResult)} --help'";
        if (parsed.UnmatchedTokens is [var unknown, ..]) return new UsageException($"{Unknown(unknown, command)} ({help})");
        string problem = parsed.Errors.Count > 0 ? parsed.Errors[0].Message.TrimEnd('.') : "a command is missing";
        return new UsageException($"{problem} ({help})");
    }

    private static string Unknown(string token, Command command)
    {
        bool isOption = token.StartsWith('-');
        IEnumerable<string> known = isOption
            ? command.Options.SelectMany(option => option.Aliases.Append(option.Name))
            : command.Subcommands.Select(sub => sub.Name);
        string hint = DidYouMean.Find(token, known) is { } near ? $": did you mean '{near}'?" : "";
        return $"'{command.Name}' knows no {(isOption ? "option" : "command or argument")} '{token}'{hint}";
    }

    private static string CommandPath(CommandResult result) =>
        result.Parent is CommandResult parent ? $"{CommandPath(parent)} {result.Command.Name}" : "rpat";
}
