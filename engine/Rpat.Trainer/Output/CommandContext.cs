namespace Rpat.Trainer.Output;

/// <summary>What the program may touch of its process, so that tests can run it in theirs.</summary>
/// <param name="ErrorIsTerminal">Whether a person watches <paramref name="Error"/>.</param>
internal sealed record CommandContext(
    TextWriter Out, TextWriter Error, IReadOnlyDictionary<string, string> Environment, bool ErrorIsTerminal, TimeProvider Clock)
{
    /// <summary>How much is said on <see cref="Error"/>, and whether in colour.</summary>
    public Verbosity Loudness { get; init; } = new();

    /// <summary>Says something that is neither a result nor an error.</summary>
    public void Note(string line)
    {
        if (Loudness.Level >= LogLevel.Info) Error.WriteLine(line);
    }

    /// <summary>Says something that should be seen before a result is trusted.</summary>
    public void Warn(string line)
    {
        if (Loudness.Level >= LogLevel.Warning) Error.WriteLine(line);
    }

    /// <summary>The process itself.</summary>
    public static CommandContext OfProcess() => new(
        StandardOutput.Writer(), Console.Error, Layers.ProcessEnvironment(), !Console.IsErrorRedirected, TimeProvider.System);
}
