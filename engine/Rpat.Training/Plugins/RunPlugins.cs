namespace Rpat.Training.Plugins;

/// <summary>
/// The assemblies that a run was made with. Whatever needs its method, network, attacks or data set needs them again; the rest can be read
/// without them.
/// </summary>
internal static class RunPlugins
{
    /// <summary>The option that loads one.</summary>
    public const string Option = "--plugin";

    private const int MostBytes = 16 << 20;

    private static readonly JsonSerializerOptions _format = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>The options for a command about a run: none for a run without plugins.</summary>
    public static IReadOnlyList<string> Options(string run) => [.. Of(run).SelectMany(file => new[] { Option, ShownPath.Of(file) })];

    /// <summary>What to do about a run of which this process lacks a plugin, in one sentence; null if it lacks none.</summary>
    public static string? Missing(string run)
    {
        string[] missing = [.. Of(run).Where(file => !IsLoaded(file))];
        if (missing.Length == 0) return null;
        string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(run)));
        return $"run '{name}' was made with {string.Join(" ", missing.Select(file => $"{Option} {ShownPath.Of(file)}"))}: give "
            + $"{(missing.Length == 1 ? "it" : "them")} again{(missing.All(File.Exists) ? "" : ", from where it is now")}.";
    }

    /// <summary>What the run of a checkpoint lacks, or else the usual error.</summary>
    /// <param name="checkpoint">A run's folder, or a file of a run.</param>
    public static UserException Or(string checkpoint, UserException usual) =>
        Places(checkpoint).Select(Missing).FirstOrDefault(sentence => sentence is not null) is { } sentence
            ? new UsageException(sentence, usual) : usual;

    private static bool IsLoaded(string file) =>
        Catalog.Registered.Any(assembly => assembly.GetName().Name == Path.GetFileNameWithoutExtension(file));

    // The folder itself, that of the file, and the run of a folder of checkpoints.
    private static IEnumerable<string> Places(string checkpoint)
    {
        string full = Path.GetFullPath(checkpoint);
        return new[] { full, Path.GetDirectoryName(full), Path.GetDirectoryName(Path.GetDirectoryName(full)) }.OfType<string>();
    }

    // Earlier versions kept the command line alone.
    private static IReadOnlyList<string> Of(string run) => Read(Path.Combine(run, RunRecord.FileName)) is { } record
        ? [.. (record.Plugins ?? record.CommandLine.Zip(record.CommandLine.Skip(1)).Where(pair => pair.First == Option)
            .Select(pair => pair.Second)).Where(file => !string.IsNullOrEmpty(file) && !file.Contains('\0')).Select(Path.GetFullPath)]
        : [];

    private static Recorded? Read(string file)
    {
        try
        {
            return RegularFile.Exists(file, followLink: false)
                ? JsonSerializer.Deserialize<Recorded>(RegularFile.ReadBytes(file, MostBytes), _format) is { CommandLine: not null } record
                    ? record : null
                : null;
        }
        catch (Exception error) when (error is IOException or JsonException or NotSupportedException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>What a run's record says about it.</summary>
    private sealed record Recorded(IReadOnlyList<string> CommandLine, IReadOnlyList<string>? Plugins);
}
