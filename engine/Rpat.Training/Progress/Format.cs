namespace Rpat.Training.Progress;

/// <summary>How numbers and times are written, the same in every culture.</summary>
internal static class Format
{
    /// <summary>A number of things: <c>1 epoch</c>, <c>3 epochs</c>.</summary>
    /// <param name="noun">One of them.</param>
    /// <param name="ending">That of several.</param>
    public static string Count(long count, string noun, string ending = "s") =>
        FormattableString.Invariant($"{count} {noun}{(count == 1 ? "" : ending)}");

    /// <summary>A loss, a rate or another quantity: four significant digits, no padding.</summary>
    public static string Number(double value) => value.ToString("G4", CultureInfo.InvariantCulture);

    /// <summary>A fraction of 1 as a percentage without its sign: <c>61.20</c>.</summary>
    public static string Percent(double fraction) => (100 * fraction).ToString("F2", CultureInfo.InvariantCulture);

    /// <summary>A cell of a CSV file, in quotes if it needs them.</summary>
    public static string CsvCell(string text) => text.AsSpan().ContainsAny(",\"\n\r")
        ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;

    /// <summary>A length in pixel units: <c>8/255</c> if it is a whole number of levels, otherwise four digits.</summary>
    public static string Pixels(double length)
    {
        double levels = length * 255;
        return levels < 255 && Math.Abs(levels - Math.Round(levels)) < 1e-6
            ? FormattableString.Invariant($"{Math.Round(levels)}/255") : Number(length);
    }

    /// <summary>An amount of memory: <c>412 MiB</c>, <c>9.8 GiB</c>.</summary>
    public static string Memory(long bytes) => bytes < 1L << 30
        ? FormattableString.Invariant($"{bytes >> 20} MiB")
        : FormattableString.Invariant($"{bytes / (double)(1L << 30):F1} GiB");

    /// <summary>A duration in its two largest units: <c>2h41m</c>, <c>3m26s</c>, <c>12s</c>.</summary>
    public static string Duration(TimeSpan time) => time switch
    {
        { TotalSeconds: < 0 } => "0s",
        { TotalMinutes: < 1 } => FormattableString.Invariant($"{time.Seconds}s"),
        { TotalHours: < 1 } => FormattableString.Invariant($"{time.Minutes}m{time.Seconds:00}s"),
        { TotalDays: < 1 } => FormattableString.Invariant($"{time.Hours}h{time.Minutes:00}m"),
        _ => FormattableString.Invariant($"{(int)time.TotalDays}d{time.Hours:00}h"),
    };
}
