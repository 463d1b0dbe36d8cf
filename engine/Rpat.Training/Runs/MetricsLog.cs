namespace Rpat.Training.Runs;

/// <summary>
/// The run's numbers: <c>metrics.jsonl</c>, one object per event, appended line by line, and <c>metrics.csv</c>, one row per epoch, which
/// is a function of those lines. Neither contains a time, so that equal runs have equal files.
/// </summary>
internal sealed class MetricsLog
{
    /// <summary>The name of the event file in a run's folder.</summary>
    public const string EventsName = "metrics.jsonl";

    /// <summary>The name of the table.</summary>
    public const string TableName = "metrics.csv";

    private const string Train = "train";
    private readonly AppendOnlyFile _events;
    private readonly string _csvPath;
    private readonly List<string> _columns = ["epoch"];
    private readonly SortedDictionary<int, Dictionary<string, string>> _rows = [];

    /// <summary>Continues an event file; <see cref="Reload"/> reads its existing events.</summary>
    public MetricsLog(AppendOnlyFile events, string csvPath) => (_events, _csvPath) = (events, csvPath);

    /// <summary>Appends one event, <c>{"step":…,"epoch":…,"split":…,NAME:VALUE…}</c>, and adds it to its epoch's row.</summary>
    /// <param name="split"><c>train</c>, <c>val</c> or <c>test</c>; the last two are prefixes of the table's column names.</param>
    /// <param name="epoch">The epoch, counted from 1.</param>
    /// <param name="metrics">The numbers; one that is not finite is null among the events, as JSON has no NaN, and NaN in the
    /// table.</param>
    public void Event(string split, long step, int epoch, params ReadOnlySpan<Metric> metrics)
    {
        using var line = new MemoryStream();
        using (var json = new Utf8JsonWriter(line)) WriteEvent(json, split, step, epoch, metrics);
        line.WriteByte((byte)'\n');
        _events.Append(line.GetBuffer().AsSpan(0, (int)line.Length));
        foreach (var metric in metrics) Add(split, epoch, metric);
        WriteTable();
    }

    /// <summary>Reads the event file again after it was truncated.</summary>
    public void Reload()
    {
        _columns.RemoveRange(1, _columns.Count - 1);
        _rows.Clear();
        foreach (var one in MetricEvent.Read(_events.Path))
            foreach (var metric in one.Values) Add(one.Split, one.Epoch, metric);
        if (_rows.Count > 0) WriteTable();
        else File.Delete(_csvPath);
    }

    private void Add(string split, int epoch, Metric metric)
    {
        string column = split == Train ? metric.Name : $"{split}_{metric.Name}";
        if (!_columns.Contains(column)) _columns.Add(column);
        if (!_rows.TryGetValue(epoch, out var row)) _rows[epoch] = row = new() { ["epoch"] = epoch.ToString(CultureInfo.InvariantCulture) };
        row[column] = (double.IsFinite(metric.Value) ? metric.Value : double.NaN).ToString("R", CultureInfo.InvariantCulture);
    }

    private static void WriteEvent(Utf8JsonWriter json, string split, long step, int epoch, ReadOnlySpan<Metric> metrics)
    {
        json.WriteStartObject();
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

    private void WriteTable()
    {
        var text = new StringBuilder();
        text.AppendJoin(',', _columns.Select(Field)).Append('\n');
        foreach (var row in _rows.Values) text.AppendJoin(',', _columns.Select(column => row.GetValueOrDefault(column, ""))).Append('\n');
        AtomicFile.WriteText(_csvPath, text.ToString());
    }

    // RFC 4180: a field with a separator or a quote is quoted, quotes inside doubled.
    private static string Field(string text) => text.AsSpan().ContainsAny(",\"\n\r") ? $"\"{text.Replace("\"", "\"\"")}\"" : text;
}
