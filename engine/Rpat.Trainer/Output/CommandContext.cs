namespace Rpat.Trainer.Output;

/// <summary>What the program may access of its process, so that tests can run it in their own.</summary>
/// <param name="ErrorIsTerminal">Whether a person watches <paramref name="Error"/>.</param>
internal sealed record CommandContext(
    TextWriter Out, TextWriter Error, IReadOnlyDictionary<string, string> Environment, bool ErrorIsTerminal, TimeProvider Clock)
{
    /// <summary>How much is written to <see cref="Error"/>, and whether in colour.</summary>
    public Verbosity Loudness { get; init; } = new();

    /// <summary>The files of <c>--plugin</c>.</summary>
    public IReadOnlyList<string> Plugins { get; init; } = [];

    /// <summary>Whether a person watches <see cref="Out"/>.</summary>
    public bool OutIsTerminal { get; init; }

    /// <summary>Whether the command is one of several, after which another says what to do next.</summary>
    public bool IsPart { get; init; }

    /// <summary>Columns of the terminal; a guess where it does not say.</summary>
    public int Columns
    {
        get
        {
            const int Usual = 80;
            try
            {
                if (Console.WindowWidth is > 0 and var columns) return columns;
            }
            catch (Exception error) when (error is IOException or PlatformNotSupportedException)
            {
                // What follows is a guess that output survives: a live line is cut, others are broken early or by the terminal.
            }
            return int.TryParse(Environment.GetValueOrDefault("COLUMNS"), CultureInfo.InvariantCulture, out int told) && told > 0 ? told
                : Usual;
        }
    }

    /// <summary>Columns that a line of <see cref="Out"/> may have: those of the terminal; in a pipe or a file any number.</summary>
    public int OutColumns => OutIsTerminal ? Columns : int.MaxValue;

    /// <summary>Writes a line of a result that is for people, broken between words in a terminal.</summary>
    /// <param name="indent">Blanks before its further lines.</param>
    public void Tell(string line, int indent = 2) => Out.WriteLine(Wrapped.Text(line, OutColumns, indent));

    /// <summary>Writes something that is neither a result nor an error.</summary>
    public void Note(string line)
    {
        if (Loudness.Level >= LogLevel.Info) Error.WriteLine(line);
    }

    /// <summary>Writes something that should be seen before a result is trusted.</summary>
    public void Warn(string line)
    {
        if (Loudness.Level >= LogLevel.Warning) Error.WriteLine(line);
    }

    /// <summary>Writes how a file was read, where it does not say so itself.</summary>
    public void NoteFile(string line) => Warn($"note: {line}");

    /// <summary>The process itself.</summary>
    public static CommandContext OfProcess() => new(
        StandardOutput.Writer(), Console.Error, Layers.ProcessEnvironment(), !Console.IsErrorRedirected, TimeProvider.System)
    { OutIsTerminal = !Console.IsOutputRedirected };
}
