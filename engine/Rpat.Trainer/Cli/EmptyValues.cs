using System.CommandLine;
using System.CommandLine.Parsing;

namespace Rpat.Trainer.Cli;

/// <summary>Refuses empty values, which a script passes when one of its variables is not set; no option accepts one.</summary>
internal static class EmptyValues
{
    /// <summary>Adds the check to a command and all its subcommands.</summary>
    public static void Refuse(Command command)
    {
        foreach (Argument argument in command.Arguments) argument.Validators.Add(result =>
        {
            Check(result, argument.Name, result.Tokens);
            if (OptionIn(result) is { } option) result.AddError(option);
        });
        foreach (Option option in command.Options) option.Validators.Add(result => Check(result, option.Name, result.Tokens));
        foreach (Command sub in command.Subcommands) Refuse(sub);
    }

    /// <summary>What looks like an option and would be taken for a name, since the command does not know it; or null.</summary>
    public static string? OptionIn(ArgumentResult result) => result.Parent is not CommandResult ? null
        : result.Tokens.Select(token => token.Value).FirstOrDefault(text => text.Length > 1 && text[0] == '-' && !Path.Exists(text));

    /// <summary>What is wrong with values, or null.</summary>
    public static string? Problem(string name, IReadOnlyList<Token> tokens) =>
        tokens.Any(token => string.IsNullOrWhiteSpace(token.Value)) ? $"{name} has an empty value: give one, or leave it out"
        : tokens.Any(token => token.Value.Contains('\0')) ? $"{name} has a zero character in its value: remove it" : null;

    private static void Check(SymbolResult result, string name, IReadOnlyList<Token> tokens)
    {
        if (Problem(name, tokens) is { } problem) result.AddError(problem);
    }
}
