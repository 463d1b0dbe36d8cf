using System.CommandLine;

namespace Rpat.Trainer.Output;

/// <summary>How much the program writes to stderr.</summary>
internal enum LogLevel
{
    /// <summary>Errors alone.</summary>
    Error,

    /// <summary>Errors and warnings: what should be known before a result is trusted.</summary>
    Warning,

    /// <summary>Progress and notes too.</summary>
    Info,

    /// <summary>A line for every step, and stack traces of errors.</summary>
    Debug,
}

/// <summary>The options of every command that control how much and how the program prints; none of them changes a result.</summary>
internal sealed class Verbosity
{
    private readonly Option<bool> _quiet = new("--quiet", "-q")
    { Description = "warnings and errors only (--log-level warning)", Recursive = true };
    private readonly Option<bool> _verbose = new("--verbose", "-v")
    { Description = "a line for every step, stack traces of errors (--log-level debug)", Recursive = true };
    private readonly Option<LogLevel?> _level = new("--log-level")
    { Description = "how much is said on stderr", HelpName = "error|warning|info|debug", Recursive = true };
    private readonly Option<bool> _noColor = new("--no-color")
    { Description = "no colours in the live view, as NO_COLOR", Recursive = true };

    private LogLevel _usual = LogLevel.Info;
    private bool _usuallyNoColor;

    /// <summary>How much is printed.</summary>
    public LogLevel Level { get; private set; } = LogLevel.Info;

    /// <summary>Whether colours are unwanted.</summary>
    public bool NoColor { get; private set; }

    /// <summary>Gives the options to every command.</summary>
    public void AddTo(RootCommand root)
    {
        foreach (Option option in new Option[] { _quiet, _verbose, _level, _noColor }) root.Add(option);
    }

    /// <summary>Applies the user's options; the exact level wins.</summary>
    public void Set(ParseResult parsed)
    {
        Level = parsed.GetValue(_level) ?? (parsed.GetValue(_quiet) ? LogLevel.Warning
            : parsed.GetValue(_verbose) ? LogLevel.Debug : _usual);
        NoColor = parsed.GetValue(_noColor) || _usuallyNoColor;
    }

    /// <summary>That of a command which this one runs: the same, unless its own line says otherwise.</summary>
    public Verbosity OfInner() => new() { Level = Level, NoColor = NoColor, _usual = Level, _usuallyNoColor = NoColor };
}
