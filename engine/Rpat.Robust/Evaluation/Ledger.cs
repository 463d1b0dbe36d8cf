using System.Security.Cryptography;

namespace Rpat.Robust.Evaluation;

/// <summary>
/// The record of an evaluation: an append-only journal with one line per finished part, written after the adversarial image that it
/// refers to. Work that was in progress when the process died is repeated; a truncated line, or one whose image is missing,
/// is ignored. At the end the lines are sorted into <c>ledger.jsonl</c>, which does not show how often the evaluation was resumed.
/// </summary>
internal sealed class Ledger : IDisposable
{
    public const string JournalName = "journal.jsonl", FinalName = "ledger.jsonl";

    private static readonly JsonSerializerOptions _strict = new(EvaluationManifest.Format)
    { WriteIndented = false, PropertyNamingPolicy = null };
    private static readonly TimeSpan _flushEvery = TimeSpan.FromSeconds(1);

    private readonly string _folder;
    private readonly ExampleStore _examples;
    private readonly Dictionary<(int, string, int, int, int, int), LedgerEntry> _entries = [];
    private readonly FileStream _journal;
    private long _flushed = Environment.TickCount64;

    /// <summary>Opens the journal of a folder for this process alone, reading its valid lines.</summary>
    /// <exception cref="IOException">Another process evaluates in this folder.</exception>
    public Ledger(string folder, ExampleStore examples)
    {
        (_folder, _examples) = (folder, examples);
        _journal = AtomicFile.OpenToGrow(Path.Combine(folder, JournalName), FileShare.None);
        _journal.SetLength(ReadSound());
        _journal.Seek(0, SeekOrigin.End);
    }

    /// <summary>All entries, in the order of the sorted ledger.</summary>
    public IEnumerable<LedgerEntry> Entries => Sorted(_entries.Values);

    /// <summary>The entry of a part, or null when it is still to be run.</summary>
    public LedgerEntry? Find(int eps, string suite, int stage, int sample, AttackPart part) =>
        _entries.GetValueOrDefault((eps, suite, stage, sample, part.Rank, part.Restart));

    /// <summary>Adds a finished part, with the image if the attack succeeded.</summary>
    public void Add(LedgerEntry entry, ReadOnlySpan<float> image = default)
    {
        if (!image.IsEmpty)
        {
            _examples.Write(entry.Eps, entry.Suite, entry.Sample, image);
            entry = entry with { Digest = DigestOf(image) };
        }
        _entries.Add(entry.Key, entry);
        _journal.Write(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(entry) + "\n"));
        bool due = Environment.TickCount64 - _flushed > _flushEvery.TotalMilliseconds;
        _journal.Flush(flushToDisk: due);
        if (due) _flushed = Environment.TickCount64;
    }

    /// <summary>Writes the sorted ledger.</summary>
    public void Close() => AtomicFile.WriteText(Path.Combine(_folder, FinalName), Text(Entries));

    /// <summary>The file's text for these entries.</summary>
    public static string Text(IEnumerable<LedgerEntry> entries) =>
        string.Concat(Sorted(entries).Select(e => JsonSerializer.Serialize(e) + "\n"));

    /// <summary>Reads the sorted ledger of a finished evaluation, or its journal.</summary>
    /// <exception cref="DataException">It is missing or damaged.</exception>
    public static IReadOnlyList<LedgerEntry> Read(string folder, string name = FinalName)
    {
        string path = Path.Combine(folder, name);
        if (!File.Exists(path)) throw new DataException($"'{folder}' has no {name}: finish the evaluation with resume: true first.");
        return [.. EvaluationFiles.Read(() => RegularFile.ReadLines(path)).Select(
            (line, i) => Parse(line) ?? throw new DataException($"'{path}' is damaged at line {i + 1}: run the evaluation again."))];
    }

    private static IEnumerable<LedgerEntry> Sorted(IEnumerable<LedgerEntry> entries) => entries
        .OrderBy(e => e.Eps).ThenBy(e => e.Suite, StringComparer.Ordinal).ThenBy(e => e.Stage).ThenBy(e => e.Sample).ThenBy(e => e.Rank)
        .ThenBy(e => e.Restart);

    private static LedgerEntry? Parse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize<LedgerEntry>(line, _strict);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _journal.Flush(flushToDisk: true);
        _journal.Dispose();
    }

    internal static string DigestOf(ReadOnlySpan<float> image) =>
        Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(image)).AsSpan(0, 16));

    /// <summary>Takes over all complete lines whose images exist, and returns where the first other one begins.</summary>
    private long ReadSound()
    {
        var bytes = new byte[_journal.Length];
        _journal.Position = 0;
        _journal.ReadExactly(bytes);
        int start = 0;
        for (int end; (end = Array.IndexOf(bytes, (byte)'\n', start)) >= 0; start = end + 1)
            if (!TryTake(bytes.AsSpan(start, end - start))) break;
        return start;
    }

    private bool TryTake(ReadOnlySpan<byte> line) =>
        Parse(Encoding.UTF8.GetString(line)) is { } entry && IsKept(entry) && _entries.TryAdd(entry.Key, entry);

    private bool IsKept(LedgerEntry entry) =>
        entry.Digest.Length == 0 || DigestOf(_examples.Read(entry.Eps, entry.Suite, entry.Sample)) == entry.Digest;
}
