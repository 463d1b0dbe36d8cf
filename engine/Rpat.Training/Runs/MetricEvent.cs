namespace Rpat.Training.Runs;

/// <summary>One event of a run's metrics.</summary>
internal sealed record MetricEvent(string Split, long Step, int Epoch, IReadOnlyList<Metric> Values)
{
    private const int MostBytes = 1 << 16;

    /// <summary>The events of a file, in order. A damaged line, or a truncated last one, is skipped alone.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static IEnumerable<MetricEvent> Read(string path)
    {
        using FileStream file = RegularFile.Open(path);
        foreach (var line in Lines(file))
            if (Parse(line.Span) is { } one) yield return one;
    }

    /// <summary>An event as <see cref="MetricsLog"/> writes it; null for anything else.</summary>
    public static MetricEvent? Parse(ReadOnlySpan<byte> line)
    {
        try
        {
            var json = new Utf8JsonReader(line);
            return json.Read() && json.TokenType == JsonTokenType.StartObject ? Parse(ref json) : null;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    private static MetricEvent? Parse(ref Utf8JsonReader json)
    {
        (string? split, long? step, int? epoch) = (null, null, null);
        List<Metric> values = [];
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            string name = json.GetString()!;
            json.Read();
            if (name == "split") split = json.GetString();
            else if (name == "step") step = json.GetInt64();
            else if (name == "epoch") epoch = json.GetInt32();
            else values.Add(new Metric(name, json.TokenType == JsonTokenType.Null ? double.NaN : json.GetDouble()));
        }

        bool isAll = json.TokenType == JsonTokenType.EndObject && !json.Read();
        return isAll && split is not null && step is { } s && epoch is { } e ? new MetricEvent(split, s, e, values) : null;
    }

    // A line longer than any event, such as the zeros that a loss of power leaves, is skipped without being stored.
    private static IEnumerable<ReadOnlyMemory<byte>> Lines(Stream file)
    {
        var buffer = new byte[2 * MostBytes];
        int kept = 0;
        bool skips = false;
        for (int read; (read = file.Read(buffer, kept, buffer.Length - kept)) > 0;)
        {
            int start = 0, end = kept + read;
            for (int at; (at = Array.IndexOf(buffer, (byte)'\n', start, end - start)) >= 0; start = at + 1, skips = false)
                if (!skips && at > start) yield return buffer.AsMemory(start, at - start);
            kept = end - start;
            skips |= kept > MostBytes;
            if (skips) kept = 0;
            else Array.Copy(buffer, start, buffer, 0, kept);
        }

        if (!skips && kept > 0) yield return buffer.AsMemory(0, kept);
    }
}
