namespace Rpat.Trainer.Output;

/// <summary>What the program may access of its process, so that tests can run it in their own.</summary>
/// <param name="ErrorIsTerminal">Whether a person watches <paramref name="Error"/>.</param>
internal sealed record CommandContext(
    TextWriter Out, TextWriter Error, IReadOnlyDictionary<string, string> Environment, bool ErrorIsTerminal, TimeProvider Clock)
{
    /// <summary>How much is written to <see cref="Error"/>, and whether in colour.</summary>
    public Verbosity Loudness { get; init; } = new();

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

    /// <summary>The process itself.</summary>
    public static CommandContext OfProcess() => new(
        StandardOutput.Writer(), Console.Error, Layers.ProcessEnvironment(), !Console.IsErrorRedirected, TimeProvider.System);
}
