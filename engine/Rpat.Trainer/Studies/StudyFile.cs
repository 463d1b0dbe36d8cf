namespace Rpat.Trainer.Studies;

/// <summary>
/// A study's rows as data: <c>NAME.csv</c> has a line per row, <c>NAME-outcomes.csv</c> the images that each network has right, as
/// hexadecimal bits, the first image in the lowest bit. Each file is replaced as one step, outcomes first: a row counts once its line is
/// there.
/// </summary>
/// <param name="path">The table, <c>NAME.csv</c>.</param>
internal sealed class StudyFile(string path)
{
    private const int MostBytes = 256 << 20, MostTries = 200;

    private static readonly string[] _columns = ["row", "outcome", "images", "right"];

    private string OutcomesPath => Path.ChangeExtension(path, null) + "-outcomes.csv";

    /// <summary>The finished rows by number; none if there is no file yet.</summary>
    /// <exception cref="DataException">The files are damaged.</exception>
    public IReadOnlyList<StudyRecord> Read()
    {
        var rows = Lines(path, StudyRecord.Columns);
        var outcomes = Lines(OutcomesPath, _columns).ToLookup(line => line[0]);
        try
        {
            return [.. rows.Select(cells => new StudyRecord(
                StudyRecord.Columns.Zip(cells).ToDictionary(pair => pair.First, pair => pair.Second),
                outcomes[cells[0]].ToDictionary(line => line[1], line => Bits(line[3], int.Parse(line[2], CultureInfo.InvariantCulture))))
                .Checked())
            ];
        }
        catch (Exception error) when (error is FormatException or ArgumentException or OverflowException)
        {
            throw new DataException(
                $"'{path}' or '{OutcomesPath}' is damaged ({error.Message.TrimEnd('.')}): take both from the repository again.", error);
        }
    }

    /// <summary>Makes the folder, before the work whose rows it takes.</summary>
    /// <exception cref="IOException">No file can be made there.</exception>
    public void RequirePlace()
    {
        MakeFolder();
        AtomicFile.RequirePlace(path);
    }

    /// <summary>Adds a row.</summary>
    /// <exception cref="IOException">The files cannot be written.</exception>
    public void Add(StudyRecord record)
    {
        MakeFolder();
        using var held = Hold();
        var lines = record.Outcomes.Select(pair => (string[])[record["row"], pair.Key, $"{pair.Value.Length}", Hex(pair.Value)]);
        Write(OutcomesPath, _columns, [.. Lines(OutcomesPath, _columns).Where(line => line[0] != record["row"]), .. lines]);
        Write(path, StudyRecord.Columns, [.. Lines(path, StudyRecord.Columns), [.. StudyRecord.Columns.Select(column => record[column])]]);
    }

    private void MakeFolder() => AtomicFile.MakeFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);

    // Other processes may do other rows at the same time.
    private FileStream Hold()
    {
        for (int tries = 1; ; tries++)
            try
            {
                return new(path + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
            }
            catch (IOException) when (tries < MostTries)
            {
                Thread.Sleep(50);
            }
    }

    private static List<string[]> Lines(string file, IReadOnlyList<string> columns)
    {
        if (!File.Exists(file)) return [];
        string[][] lines = [.. RegularFile.ReadText(file, MostBytes).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.TrimEnd('\r').Split(','))];
        return lines.Length > 0 && lines[0].SequenceEqual(columns) && lines.All(line => line.Length == columns.Count) ? [.. lines.Skip(1)]
            : throw new DataException($"'{file}' is no table of a study: its columns must be {string.Join(',', columns)}.");
    }

    private static void Write(string file, IReadOnlyList<string> columns, IEnumerable<string[]> lines) => AtomicFile.WriteText(file,
        new TextTable(columns, [.. lines.OrderBy(line => int.Parse(line[0], CultureInfo.InvariantCulture))]).Write("csv"));

    private static string Hex(bool[] bits)
    {
        byte[] bytes = new byte[(bits.Length + 7) / 8];
        for (int i = 0; i < bits.Length; i++)
            if (bits[i]) bytes[i / 8] |= (byte)(1 << i % 8);
        return Convert.ToHexStringLower(bytes);
    }

    private static bool[] Bits(string hex, int count)
    {
        byte[] bytes = Convert.FromHexString(hex);
        return bytes.Length == (count + 7) / 8 ? [.. Enumerable.Range(0, count).Select(i => (bytes[i / 8] >> i % 8 & 1) != 0)]
            : throw new FormatException($"{bytes.Length} bytes for {count} images");
    }
}
