namespace Rpat.Trainer.View;

/// <summary>
/// A line at the bottom of the terminal that is redrawn in place. Notes and finished epochs are printed above it in the order in which they
/// come, and stay.
/// </summary>
/// <param name="output">The terminal; escape codes are passed on to it.</param>
/// <param name="width">Its columns now.</param>
/// <param name="colours">Whether colours are wanted.</param>
internal sealed class LiveView(TextWriter output, Func<int> width, bool colours, TimeProvider clock) : IProgressView, IDisposable
{
    // To the first column, and erase the line. Long lines must not wrap while the bar is drawn: it would not be erased as a whole.
    private const string Erase = "\r\u001b[K", NoWrap = "\u001b[?7l", Wrap = "\u001b[?7h";
    private const string Bold = "1", Cyan = "36", Yellow = "33";

    // Epochs below one line of headings.
    private const int MostRows = 20;

    private static readonly TimeSpan _refresh = TimeSpan.FromMilliseconds(100);

    private readonly Lock _lock = new();
    private string _bar = "", _head = "";
    private long _last;
    private int _rows;

    /// <inheritdoc/>
    public bool Due => clock.GetElapsedTime(_last) >= _refresh;

    /// <inheritdoc/>
    public void Update(ProgressSnapshot snapshot)
    {
        if (Due) Show(BarLine.Of(snapshot, width() - 1));
    }

    /// <summary>Draws another line in its place, cut where the terminal ends.</summary>
    public void Show(string line)
    {
        _last = clock.GetTimestamp();
        lock (_lock)
        {
            _bar = line[..Math.Clamp(width() - 1, 0, line.Length)];
            Write("");
        }
    }

    /// <inheritdoc/>
    public void EpochDone(EpochSummary epoch)
    {
        lock (_lock)
        {
            var (head, row) = EpochLine.Of(epoch, width() - 1);
            bool again = head != _head || ++_rows == MostRows;
            Write(again ? $"{Coloured(head, Bold)}\n{row}\n" : row + '\n');
            if (again) (_head, _rows) = (head, 0);
        }
    }

    /// <inheritdoc/>
    public void Note(string line) => Print(Whole(line));

    /// <inheritdoc/>
    public void Warn(string line) => Print(Coloured(Whole(line), Yellow));

    /// <summary>Erases the bar.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_bar.Length > 0) output.Write(Erase);
            _bar = "";
            output.Flush();
        }
    }

    private string Whole(string line) => Wrapped.Text(Printable.Line(line), width());

    private void Print(string line)
    {
        lock (_lock) Write(line + '\n');
    }

    private void Write(string lines)
    {
        output.Write($"{Erase}{lines}{NoWrap}{Coloured(_bar, Cyan)}{Wrap}");
        output.Flush();
    }

    private string Coloured(string text, string colour) => colours && text.Length > 0 ? $"\u001b[{colour}m{text}\u001b[0m" : text;
}
