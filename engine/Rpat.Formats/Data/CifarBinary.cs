namespace Rpat.Formats.Data;

/// <summary>The two CIFAR sets.</summary>
public enum CifarKind
{
    /// <summary>10 classes; a record is one label byte and 3072 pixels.</summary>
    Cifar10,

    /// <summary>100 classes; a record is a coarse label, a fine label (the one used) and 3072 pixels.</summary>
    Cifar100,
}

/// <summary>
/// The binary version of CIFAR-10 and CIFAR-100: fixed records without a header, whose 3072 pixels are already [3, 32, 32]: red, green
/// and blue planes, row by row.
/// </summary>
public static class CifarBinary
{
    private const int Side = 32;
    private const int Planes = 3;
    private const int PixelBytes = Planes * Side * Side;
    private const int MostRecords = int.MaxValue / PixelBytes;
    private const int RecordsPerPiece = 256;

    /// <summary>The folder that the archive of a set unpacks to.</summary>
    public static string FolderName(CifarKind kind) => kind == CifarKind.Cifar10 ? "cifar-10-batches-bin" : "cifar-100-binary";

    /// <summary>The class names in label order.</summary>
    public static IReadOnlyList<string> ClassNames(CifarKind kind) => kind == CifarKind.Cifar10 ? CifarNames.Cifar10 : CifarNames.Cifar100;

    /// <summary>The files of a part of a set, in reading order.</summary>
    /// <param name="train">The training images; the test images when false.</param>
    public static IReadOnlyList<string> FileNames(CifarKind kind, bool train) => (kind, train) switch
    {
        (CifarKind.Cifar10, true) => ["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"],
        (CifarKind.Cifar10, false) => ["test_batch.bin"],
        (_, true) => ["train.bin"],
        _ => ["test.bin"],
    };

    /// <summary>
    /// Reads the training or the test images of a set; every file must have exactly its published length, unless other lengths are
    /// allowed.
    /// </summary>
    /// <param name="folder">The folder that holds the .bin files.</param>
    /// <param name="train">The training images; the test images when false.</param>
    /// <param name="anyLength">Allows any whole number of records, for synthetic files.</param>
    /// <exception cref="DataException">A file is missing, of another length, or holds a label out of range.</exception>
    public static LabeledImages ReadSet(string folder, CifarKind kind, bool train, bool anyLength = false) =>
        Read(FileNames(kind, train).Select(file => Path.Combine(folder, file)), kind, anyLength ? null : PublishedRecords(kind, train));

    /// <summary>Writes a file of records; CIFAR-100's coarse label is the fine one divided by five.</summary>
    /// <param name="path">The .bin file to make or replace.</param>
    /// <param name="set">Images of [3, 32, 32].</param>
    /// <exception cref="ArgumentException">The images are of another size.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void WriteFile(string path, CifarKind kind, LabeledImages set)
    {
        if (set.ImageSize != PixelBytes || set.Channels != Planes)
            throw new ArgumentException($"CIFAR's images are 3x32x32, those of '{set.Name}' {set.Channels}x{set.Height}x{set.Width}.",
                nameof(set));
        AtomicFile.Write(path, stream =>
        {
            for (int i = 0; i < set.Count; i++)
            {
                if (kind == CifarKind.Cifar100) stream.WriteByte((byte)(set.Labels[i] / 5));
                stream.WriteByte((byte)set.Labels[i]);
                stream.Write(set.Image(i));
            }
        });
    }

    /// <summary>Reads one file with any whole number of records.</summary>
    /// <param name="kind">Which record layout it has.</param>
    /// <exception cref="DataException">The file is missing, ends within a record, or holds a label out of range.</exception>
    public static LabeledImages ReadFile(string path, CifarKind kind) => Read([path], kind, expectedRecords: null);

    private static int PublishedRecords(CifarKind kind, bool train) => kind == CifarKind.Cifar100 && train ? 50_000 : 10_000;

    private static int LabelBytes(CifarKind kind) => kind == CifarKind.Cifar10 ? 1 : 2;

    private static LabeledImages Read(IEnumerable<string> paths, CifarKind kind, int? expectedRecords)
    {
        List<FileReader> files = [];
        try
        {
            foreach (string path in paths) files.Add(FileReader.OpenData(path));
            int[] counts = [.. files.Select(file => Records(file, kind, expectedRecords))];
            long records = counts.Sum(count => (long)count);
            if (records > MostRecords) throw Error(files[^1], $"the {records} records of all files do not fit in memory");
            byte[] pixels = new byte[records * PixelBytes];
            var labels = new int[records];
            for (int i = 0, done = 0; i < counts.Length; done += counts[i++])
                ReadRecords(files[i], kind, pixels.AsSpan(done * PixelBytes), labels.AsSpan(done, counts[i]));
            return new(kind == CifarKind.Cifar10 ? "cifar10" : "cifar100", Planes, Side, Side, pixels, labels, ClassNames(kind));
        }
        finally
        {
            files.ForEach(file => file.Dispose());
        }
    }

    private static int Records(FileReader file, CifarKind kind, int? expected)
    {
        int size = LabelBytes(kind) + PixelBytes;
        long records = file.Length / size;
        if (expected is not null && file.Length != (long)expected * size)
            throw Error(file, $"it ends at byte {file.Length}, in record {records}, where {expected} records of {size} bytes are expected");
        if (file.Length % size != 0)
            throw Error(file, $"record {records} at byte {records * size} is cut off, {file.Length % size} of {size} bytes are there");
        if (records > MostRecords) throw Error(file, $"its {records} records do not fit in memory");
        return (int)records;
    }

    private static void ReadRecords(FileReader file, CifarKind kind, Span<byte> pixels, Span<int> labels)
    {
        int labelBytes = LabelBytes(kind), size = labelBytes + PixelBytes;
        byte[] piece = new byte[RecordsPerPiece * size];
        for (int record = 0; record < labels.Length; record++)
        {
            int inPiece = record % RecordsPerPiece;
            if (inPiece == 0)
                file.ReadExactly((long)record * size, piece.AsSpan(0, Math.Min(RecordsPerPiece, labels.Length - record) * size));
            ReadOnlySpan<byte> bytes = piece.AsSpan(inPiece * size, size);
            labels[record] = Label(file, kind, record, bytes[..labelBytes]);
            bytes[labelBytes..].CopyTo(pixels[(record * PixelBytes)..]);
        }
    }

    private static int Label(FileReader file, CifarKind kind, int record, ReadOnlySpan<byte> labels)
    {
        if (kind == CifarKind.Cifar100 && labels[0] >= CifarNames.CoarseClasses)
            throw Error(file, $"record {record} has the coarse label {labels[0]} where 0 to {CifarNames.CoarseClasses - 1} are expected");
        int classes = ClassNames(kind).Count;
        if (labels[^1] >= classes) throw Error(file, $"record {record} has label {labels[^1]} where 0 to {classes - 1} are expected");
        return labels[^1];
    }

    private static DataException Error(FileReader file, string what) =>
        new($"'{file.Path}' is not a sound CIFAR binary file: {what}; unpack the archive again.");
}
