using System.Globalization;
using System.Text;
using System.Text.Json;
using Rpat.Engine.IO;
using Rpat.Trainer.View;

namespace Rpat.Trainer.Runs;

/// <summary>
/// The run's numbers: <c>metrics.jsonl</c>, one object per event, appended and flushed line by line, and <c>metrics.csv</c>, one
/// row per epoch, replaced as a whole.
/// </summary>
internal sealed class MetricsLog : IDisposable
{
    private readonly FileStream _events;
    private readonly string _csvPath;
    private readonly TimeProvider _clock;
    private readonly List<string> _columns = ["epoch"];
    private readonly List<Dictionary<string, string>> _rows = [];

    /// <summary>Opens the event file; the table is made with its first row.</summary>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    public MetricsLog(string jsonlPath, string csvPath, TimeProvider clock)
    {
        _events = new FileStream(jsonlPath, FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
        _csvPath = csvPath;
        _clock = clock;
    }

    /// <summary>Appends one event: <c>{"t":…,"step":…,"epoch":…,"split":…,NAME:VALUE…}</c>.</summary>
    /// <param name="split"><c>train</c>, <c>test</c> or <c>val</c>.</param>
    /// <param name="step">Optimizer steps done since training began.</param>
    /// <param name="epoch">The epoch, counted from 1.</param>
    /// <param name="metrics">The numbers; one that is not finite is written as null, which JSON can hold.</param>
    public void Event(string split, long step, int epoch, params ReadOnlySpan<Metric> metrics)
    {
        using var line = new MemoryStream();
        using (var json = new Utf8JsonWriter(line)) WriteEvent(json, split, step, epoch, metrics);
        line.WriteByte((byte)'\n');
        _events.Write(line.GetBuffer(), 0, (int)line.Length);
        _events.Flush();
    }

    /// <summary>Adds an epoch's row to the table; a metric not seen before adds a column at the right.</summary>
    public void Epoch(int epoch, params ReadOnlySpan<Metric> metrics)
    {
        var row = new Dictionary<string, string> { ["epoch"] = epoch.ToString(CultureInfo.InvariantCulture) };
        foreach (var metric in metrics)
        {
            if (!_columns.Contains(metric.Name)) _columns.Add(metric.Name);
            row[metric.Name] = metric.Value.ToString("R", CultureInfo.InvariantCulture);
        }

        _rows.Add(row);
        AtomicFile.WriteText(_csvPath, Table());
    }

    /// <summary>Closes the event file.</summary>
    public void Dispose() => _events.Dispose();

    private void WriteEvent(Utf8JsonWriter json, string split, long step, int epoch, ReadOnlySpan<Metric> metrics)
    {
        json.WriteStartObject();
        json.WriteString("t", _clock.GetUtcNow());
        json.WriteNumber("step", step);
        json.WriteNumber("epoch", epoch);
        json.WriteString("split", split);
        foreach (var metric in metrics)
        {
            if (double.IsFinite(metric.Value)) json.WriteNumber(metric.Name, metric.Value);
            else json.WriteNull(metric.Name);
        }

        json.WriteEndObject();
    }

    private string Table()
    {
        var text = new StringBuilder();
        text.AppendJoin(',', _columns.Select(Field)).Append('\n');
        foreach (var row in _rows) text.AppendJoin(',', _columns.Select(column => row.GetValueOrDefault(column, ""))).Append('\n');
        return text.ToString();
    }

    // RFC 4180: a field with a separator or a quote is quoted, quotes inside doubled.
    private static string Field(string text) => text.AsSpan().ContainsAny(",\"\n\r") ? $"\"{text.Replace("\"", "\"\"")}\"" : text;
}
