using System.CommandLine;
using System.CommandLine.Parsing;

namespace Rpat.Trainer.Cli;

/// <summary>Turns a command line that does not parse into one sentence.</summary>
internal static class UsageErrors
{
    // What other programs call an option.
    private static readonly Dictionary<string, string> _elsewhere =
        new(Schema.Lambda.Select(name => KeyValuePair.Create(name, "rpat-weight")))
        { ["gpu"] = "device", ["cuda"] = "device", ["workers"] = "threads" };

    /// <summary>The error for a failed parse; for a mistyped command or option it names the nearest one.</summary>
    public static UsageException Of(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        string help = $"see '{CommandPath(parsed.CommandResult)} --help'";
        if (parsed.UnmatchedTokens is [var unknown, ..])
            return new UsageException($"{Unknown(unknown, command, parsed.Tokens.Any(t => t.Type == TokenType.DoubleDash))} ({help})");
        string problem = parsed.Errors.Count > 0 ? Problem(parsed.Errors[0]).TrimEnd('.') : "a command is missing";
        return new UsageException($"{problem} ({help})");
    }

    // The library's own words name .NET types, and follow the language of the system.
    private static string Problem(ParseError error) => error.SymbolResult switch
    {
        ArgumentResult { Parent: OptionResult option } => Problem(option, error.Message),
        OptionResult option => Problem(option, error.Message),
        ArgumentResult { Parent: CommandResult of } taken when EmptyValues.OptionIn(taken) is { } unknown => Unknown(unknown, of.Command),
        ArgumentResult { Tokens.Count: 0 } missing => $"{missing.Argument.Name} is missing: give {Described(missing.Argument.Description)}",
        ArgumentResult wrong => Problem(wrong.Argument.Name, wrong.Tokens, wrong.Argument.ValueType) ?? error.Message,
        CommandResult command when command.Command.Options.FirstOrDefault(
            option => option.Required && command.GetResult(option) is null) is { } option =>
            $"{option.Name} is missing: give {Described(option.Description)}",
        CommandResult { Command.Subcommands: { Count: > 0 } known } =>
            $"a command is missing: give {string.Join(", ", known.Select(sub => sub.Name))}",
        _ => error.Message,
    };

    private static string Problem(OptionResult given, string otherwise)
    {
        var (option, tokens) = (given.Option, given.Tokens);
        if (tokens.Count == 0 && given.Implicit) return $"{option.Name} is missing: give {Described(option.Description)}";
        if (tokens.Count == 0) return $"{option.Name} has no value: give {option.HelpName ?? "one"}";
        if (tokens.Count > option.Arity.MaximumNumberOfValues) return $"{option.Name} is given {tokens.Count} times: give it once";
        return Problem(option.Name, tokens, option.ValueType) ?? otherwise;
    }

    private static string? Problem(string name, IReadOnlyList<Token> tokens, Type type)
    {
        if (EmptyValues.Problem(name, tokens) is { } empty) return empty;
        var kind = Nullable.GetUnderlyingType(type) ?? type;
        string text = tokens[0].Value;
        if (kind.IsEnum) return Enum.TryParse(kind, text, ignoreCase: true, out _) ? null
            : $"{name} is '{text}': {DidYouMean.Hint(text, [.. Enum.GetNames(kind).Select(one => one.ToLowerInvariant())], "values")}";
        bool isWhole = kind == typeof(int) || kind == typeof(long) || kind == typeof(ulong);
        return isWhole ? $"{name} is '{text}': give a whole number{(kind == typeof(ulong) ? " from 0" : "")}" : null;
    }

    private static string Described(string? description) => string.IsNullOrEmpty(description) ? "it" : description;

    private static string Unknown(string token, Command command, bool hasDashes = false)
    {
        bool isOption = token.StartsWith('-');
        IEnumerable<string> known = isOption
            ? command.Options.Where(option => !option.Hidden).SelectMany(option => option.Aliases.Append(option.Name))
            : command.Subcommands.Select(sub => sub.Name);
        string hint = !isOption && OptionFor(token, command) is { } option ? $": did you mean '{option} {token}'?"
            : Near(token, [.. known]) is not { } near ? ""
            : near == token && hasDashes ? " behind '--': options come before it"
            : near == token ? $" before its name: options come after the command, as in 'rpat {command.Name} {token} …'"
            : $": did you mean '{near}'?";
        return $"'{command.Name}' knows no {(isOption ? "option" : "command or argument")} '{token}'{hint}";
    }

    // A value in the place of an argument, where an option takes it.
    private static string? OptionFor(string token, Command command)
    {
        bool Has(string option) => command.Options.Any(known => known.Name == option);
        return Has("--recipe") && CatalogNames.Recipes.Match(token) is not null ? "--recipe"
            : Has("--config") && File.Exists(token) ? "-c"
            : Has("--dataset") && DataSets.Names.All().Contains(token) ? "--data" : null;
    }

    // Dashes are no part of a name: -n is --n, not -o.
    private static string? Near(string token, string[] known)
    {
        string bare = token.Trim('-');
        string[] names = [.. known.Select(name => name.Trim('-'))],
            begun = [.. names.Where(name => name.StartsWith(bare + '-', StringComparison.Ordinal))];
        string? near = names.Contains(bare) ? bare : begun is [var only] ? only
            : DidYouMean.Find(bare, [.. names, .. _elsewhere.Where(other => names.Contains(other.Value)).Select(other => other.Key)]);
        if (near is not null && !names.Contains(near)) near = _elsewhere[near];
        return known.Where(name => name.Trim('-') == near).MaxBy(name => name.Length);
    }

    private static string CommandPath(CommandResult result) =>
        result.Parent is CommandResult parent ? $"{CommandPath(parent)} {result.Command.Name}" : "rpat";
}
