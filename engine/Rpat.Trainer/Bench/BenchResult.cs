using System.Text.Encodings.Web;

namespace Rpat.Trainer.Bench;

/// <summary>A benchmark's result, in the form in which it is stored and compared with a later one.</summary>
/// <param name="What">The benchmark: <c>kernels</c>, <c>step</c>, <c>data</c> or <c>comm</c>.</param>
/// <param name="On">What was timed and where: network, batch, data, device.</param>
/// <param name="Machine">The processor, and how many of its cores this process may use.</param>
internal sealed record BenchResult(string What, string On, string Machine, string Version, IReadOnlyList<BenchRow> Rows)
{
    private const int MostBytes = 16 << 20;

    private static readonly JsonSerializerOptions _format = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Reads what <see cref="Write"/> has written.</summary>
    /// <exception cref="UsageException">It cannot be read, or is not a result of this benchmark.</exception>
    public static BenchResult Read(string path, string what)
    {
        try
        {
            var read = JsonSerializer.Deserialize<BenchResult>(RegularFile.ReadBytes(path, MostBytes), _format);
            if (read is { Rows: not null } && read.Rows.All(IsSound))
                return read.What == what ? read : throw new UsageException(
                    $"'{path}' holds a result of 'rpat bench {read.What}': give one that 'rpat bench {what} --json' has written.");
        }
        catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new UsageException(
                $"'{path}' cannot be read as a baseline ({error.Message.TrimEnd('.')}): give a file that 'rpat bench {what} --json' has "
                    + $"written.", error);
        }

        throw new UsageException($"'{path}' is not a benchmark result: give a file that 'rpat bench {what} --json' has written.");
    }

    /// <summary>Everything as JSON.</summary>
    public string Text() => JsonSerializer.Serialize(this, _format) + "\n";

    /// <summary>Writes that, as one step.</summary>
    public void Write(string path) => AtomicFile.WriteText(path, Text());

    /// <summary>Writes <c>bench-WHAT</c> as .json, .csv and .md into a folder, which is created if necessary.</summary>
    public void WriteArtifacts(string folder)
    {
        AtomicFile.MakeFolder(folder);
        string stem = Path.Combine(folder, "bench-" + What);
        Write(stem + ".json");
        string[] names = ["name", "category", "n", "median_s", "min_s", "max_s", "images_per_s", "gflops", "gbytes_per_s"];
        var table = new TextTable(names, [.. Rows.Select(row => Cells(row).ToArray())], RightFrom: 2);
        foreach (string format in (string[])["csv", "md"]) AtomicFile.WriteText($"{stem}.{format}", table.Write(format));
    }

    private static bool IsSound(BenchRow? row) =>
        row is { Name: not null, Seconds: { Count: > 0 } seconds } && seconds.All(s => s > 0 && double.IsFinite(s));

    private static IEnumerable<string> Cells(BenchRow row)
    {
        yield return row.Name;
        yield return row.Category;
        yield return row.Seconds.Count.ToString(CultureInfo.InvariantCulture);
        foreach (double seconds in new[] { row.Median, row.Seconds[0], row.Seconds[^1] })
            yield return seconds.ToString("G6", CultureInfo.InvariantCulture);
        foreach (double amount in new[] { row.Images, row.Flops / 1e9, row.Bytes / 1e9 })
            yield return amount == 0 ? "" : (amount / row.Median).ToString("G6", CultureInfo.InvariantCulture);
    }
}
