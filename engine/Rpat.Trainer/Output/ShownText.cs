namespace Rpat.Trainer.Output;

/// <summary>
/// The only access to stdout and stderr. Control characters are written out, and a failure of a full or closed stream is remembered instead
/// of thrown: whether the output can be read never affects the work.
/// </summary>
/// <param name="inner">The stream; not closed.</param>
/// <param name="isVerbatim">Whether control characters are kept, for a view that controls the terminal itself.</param>
/// <param name="columns">Columns of a terminal, in which lines are broken between words; null for none.</param>
internal sealed class ShownText(TextWriter inner, bool isVerbatim = false, Func<int>? columns = null)
    : TextWriter(CultureInfo.InvariantCulture)
{
    /// <summary>Why something could not be written, or null.</summary>
    public Exception? Failure { get; private set; }

    /// <inheritdoc/>
    public override Encoding Encoding => inner.Encoding;

    /// <summary>The same stream for output that may be lost: a failure is not remembered here.</summary>
    public ShownText Optional => new(inner, isVerbatim, columns);

    /// <summary>The same stream for the program's own escape codes.</summary>
    public ShownText Verbatim => new(Stream, isVerbatim: true);

    // A command within a command shows its text through that one's, which would write out the codes.
    private TextWriter Stream => inner is ShownText outer ? outer.Stream : inner;

    /// <inheritdoc/>
    public override void Write(char value) => Write(value.ToString());

    /// <inheritdoc/>
    public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<char> buffer) => Write(buffer.ToString());

    /// <inheritdoc/>
    public override void Write(string? value)
    {
        if (!string.IsNullOrEmpty(value)) Try(() => inner.Write(isVerbatim ? value
            : columns is null ? Printable.Text(value) : Wrapped.Text(Printable.Text(value), columns())));
    }

    /// <inheritdoc/>
    public override void WriteLine() => Write(NewLine);

    /// <inheritdoc/>
    public override void WriteLine(string? value) => Write(value + NewLine);

    /// <inheritdoc/>
    public override void Flush() => Try(inner.Flush);

    private void Try(Action write)
    {
        try
        {
            write();
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or UnauthorizedAccessException)
        {
            Failure ??= error;
        }
    }
}
