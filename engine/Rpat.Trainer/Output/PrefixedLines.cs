namespace Rpat.Trainer.Output;

/// <summary>Passes on each line prefixed with a title, and remembers the last error.</summary>
internal sealed class PrefixedLines(TextWriter output, string title) : TextWriter
{
    private const string Error = "rpat: ";

    private readonly StringBuilder _line = new();
    private readonly Lock _lock = new();

    /// <summary>The last line that was an error, without the program's name; null if there was none.</summary>
    public string? Sentence { get; private set; }

    /// <inheritdoc/>
    public override Encoding Encoding => output.Encoding;

    /// <inheritdoc/>
    public override void Write(char value)
    {
        lock (_lock)
        {
            if (value == '\n') End();
            else if (value != '\r') _line.Append(value);
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing && _line.Length > 0) End();
        base.Dispose(disposing);
    }

    private void End()
    {
        string line = _line.ToString();
        _line.Clear();
        if (line.StartsWith(Error, StringComparison.Ordinal)) Sentence = line[Error.Length..];
        output.WriteLine($"{title}: {line}");
    }
}
