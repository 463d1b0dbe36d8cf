using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json.Serialization;

namespace Rpat.Trainer.Cli;

/// <summary>
/// <c>--json</c>: the result for programs. Without a value, or with <c>-</c>, stdout holds that JSON and nothing else, for <c>| jq</c>;
/// with a file it is written in addition to the usual output.
/// </summary>
internal sealed class JsonOption
{
    private const string Stdout = "-";

    private static readonly JsonSerializerOptions _format = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    private readonly Option<string?> _option = OutputFile.Checked(new("--json")
    {
        Description = "print the result as JSON instead, or also write it to a file",
        HelpName = "FILE",
        Arity = ArgumentArity.ZeroOrOne,
    });

    /// <summary>The option, to be added to a command.</summary>
    public Option Option => _option;

    /// <summary>An object as indented JSON, keys in snake case.</summary>
    public static string Text(object value) => JsonSerializer.Serialize(value, _format) + "\n";

    /// <summary>Whether stdout holds only the JSON.</summary>
    public bool TakesStdout(ParseResult parsed) => parsed.GetResult(_option) is not null && parsed.GetValue(_option) is null or Stdout;

    /// <summary>The file that the JSON is written to besides, or null.</summary>
    public string? File(ParseResult parsed) => TakesStdout(parsed) ? null : parsed.GetValue(_option);

    /// <summary>Where the usual output goes: not to stdout if that holds the JSON.</summary>
    public TextWriter Talk(ParseResult parsed, CommandContext host) => TakesStdout(parsed) ? host.Error : host.Out;

    /// <summary>Refuses the option with another one whose result is text.</summary>
    /// <exception cref="UsageException">It is given.</exception>
    public void Refuse(ParseResult parsed, string other)
    {
        if (parsed.GetResult(_option) is not null) throw new UsageException($"{_option.Name} does not go with {other}: leave one out.");
    }

    /// <summary>Writes the result in the requested form.</summary>
    /// <param name="value">The result; not made unless it is requested.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Give(ParseResult parsed, CommandContext host, Func<object> value, Action print)
    {
        bool alone = TakesStdout(parsed);
        if (alone) host.Out.Write(Text(value()));
        else print();
        if (File(parsed) is { } path) AtomicFile.WriteText(path, Text(value()));
    }
}
