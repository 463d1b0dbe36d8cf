using Spectre.Console;
using Spectre.Console.Rendering;

namespace Rpat.Trainer.View;

/// <summary>
/// A table of the latest epochs with a bar below it, redrawn in place. One live display owns the terminal, so notes are part of it rather
/// than written past it.
/// </summary>
internal sealed class LiveView(IAnsiConsole console, TimeProvider clock) : IProgressView, IDisposable
{
    private const int MaxNotes = 8;
    private static readonly TimeSpan _refresh = TimeSpan.FromMilliseconds(100);

    private readonly Lock _lock = new();
    private readonly List<EpochSummary> _epochs = [];
    private readonly List<string> _notes = [];
    private LiveDisplayContext? _display;
    private string _bar = "";
    private long _last;

    /// <inheritdoc/>
    public bool Due => clock.GetElapsedTime(_last) >= _refresh;

    /// <summary>Runs the work that the view shows, in a terminal that is prepared before and restored after.</summary>
    public void Run(Action work) => console.Live(Picture()).AutoClear(false).Start(display =>
    {
        _display = display;
        try
        {
            work();
        }
        finally
        {
            _bar = "";
            Draw();
            _display = null;
        }
    });

    /// <inheritdoc/>
    public void Update(ProgressSnapshot snapshot)
    {
        if (!Due) return;
        _bar = BarLine.Of(snapshot);
        Draw();
    }

    /// <inheritdoc/>
    public void EpochDone(EpochSummary epoch)
    {
        _epochs.Add(epoch);
        Draw();
    }

    /// <inheritdoc/>
    public void Note(string line)
    {
        lock (_lock)
        {
            _notes.Add(line);
            if (_notes.Count > MaxNotes) _notes.RemoveAt(0);
        }
    }

    /// <summary>Shows the cursor again, which an interrupted display leaves hidden.</summary>
    public void Dispose() => console.Cursor.Show(true);

    private void Draw()
    {
        _last = clock.GetTimestamp();
        _display?.UpdateTarget(Picture());
    }

    private Rows Picture()
    {
        List<IRenderable> rows = [];
        if (_epochs.Count > 0) rows.Add(Table());
        lock (_lock) rows.AddRange(_notes.Select(note => new Text(Printable.Line(note))));
        rows.Add(new Text(_bar));
        return new Rows(rows);
    }

    // A table taller than the terminal would scroll its header away, so only the latest epochs are shown.
    private Table Table()
    {
        var table = new Table { Border = TableBorder.None };
        foreach (string heading in Headings(_epochs[^1])) table.AddColumn(new TableColumn(new Text(heading)).RightAligned());
        int room = Math.Max(3, console.Profile.Height - MaxNotes - 4);
        foreach (var epoch in _epochs.TakeLast(room)) table.AddRow(Cells(epoch).Select(cell => new Text(cell)));
        return table;
    }

    private static IEnumerable<string> Headings(EpochSummary e) =>
        ["epoch", "lr", "loss", .. e.LossParts.Select(part => part.Name), .. e.Accuracies.Select(a => a.Name), "images/s", "time"];

    private static IEnumerable<string> Cells(EpochSummary e) =>
    [
        e.Epoch.ToString(CultureInfo.InvariantCulture), Format.Number(e.Lr), Format.Number(e.Loss),
        .. e.LossParts.Select(part => Format.Number(part.Value)), .. e.Accuracies.Select(a => Format.Percent(a.Value)),
        Format.Number(e.ImagesPerSecond), Format.Duration(e.Time),
    ];
}
