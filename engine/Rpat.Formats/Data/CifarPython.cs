namespace Rpat.Formats.Data;

/// <summary>
/// The Python version of CIFAR-10 and CIFAR-100: pickled dicts of <c>data</c>, numpy uint8 [n, 3072] with the planes of the binary
/// version, and a list of labels. Also the forms that other tools write: arrays or lists, [n, 3, 32, 32] or [n, 32, 32, 3],
/// keys that are texts or bytes. The pickles are read, never executed.
/// </summary>
public static class CifarPython
{
    private const int Side = 32;
    private const int Planes = 3;
    private const int PixelBytes = Planes * Side * Side;
    private const long Spare = 1 << 20;

    /// <summary>The folder that the archive of a set unpacks to.</summary>
    public static string FolderName(CifarKind kind) => kind == CifarKind.Cifar10 ? "cifar-10-batches-py" : "cifar-100-python";

    /// <summary>The files of a part of a set, in reading order.</summary>
    /// <param name="train">The training images; the test images when false.</param>
    public static IReadOnlyList<string> FileNames(CifarKind kind, bool train) => (kind, train) switch
    {
        (CifarKind.Cifar10, true) => ["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5"],
        (CifarKind.Cifar10, false) => ["test_batch"],
        (_, true) => ["train"],
        _ => ["test"],
    };

    /// <summary>Reads the training or the test images of a set.</summary>
    /// <param name="folder">The folder that holds the files.</param>
    /// <param name="train">The training images; the test images when false.</param>
    /// <exception cref="DataException">A file is missing or damaged, or holds a label out of range.</exception>
    public static LabeledImages ReadSet(string folder, CifarKind kind, bool train)
    {
        LabeledImages[] parts = [.. FileNames(kind, train).Select(file => ReadFile(Path.Combine(folder, file), kind))];
        return parts.Length == 1 ? parts[0] : Set(kind, [.. parts.SelectMany(p => p.Pixels)], [.. parts.SelectMany(p => p.Labels)]);
    }

    /// <summary>Reads one file with any number of images.</summary>
    /// <param name="kind">Which set it belongs to.</param>
    /// <exception cref="DataException">The file is missing or damaged, or holds a label out of range.</exception>
    public static LabeledImages ReadFile(string path, CifarKind kind)
    {
        try
        {
            using var pickle = new BarePickle(FileReader.OpenData(path), data: true);
            var batch = pickle.Root as PickleDict ?? throw Error(path, "it is no dict");
            long most = 4 * pickle.Length + Spare;
            byte[] pixels = Pixels(path, batch, most);
            return Set(kind, pixels, Labels(path, batch, most, kind, pixels.Length / PixelBytes));
        }
        catch (CheckpointException error)
        {
            throw new DataException(error.Message, error);
        }
    }

    private static LabeledImages Set(CifarKind kind, byte[] pixels, int[] labels) => new(
        kind == CifarKind.Cifar10 ? "cifar10" : "cifar100", Planes, Side, Side, pixels, labels, CifarBinary.ClassNames(kind));

    private static byte[] Pixels(string path, PickleDict batch, long most)
    {
        PickledBytes data = PickledBytes.Of(batch.Find("data"), "data", most, what => Error(path, what))
            ?? throw Error(path, "it has no array or list 'data' of whole numbers");
        return data.Shape switch
        {
            [_, PixelBytes] or [_, Planes, Side, Side] => data.Values,
            [_, Side, Side, Planes] => PlanesFirst(data.Values),
            var other => throw Error(
                path, $"'data' is {ArrayShape.Text(other)} where [n, {PixelBytes}], [n, 3, 32, 32] or [n, 32, 32, 3] is expected"),
        };
    }

    private static byte[] PlanesFirst(byte[] values)
    {
        var planes = new byte[values.Length];
        for (int i = 0; i < values.Length; i++)
        {
            int inImage = i % PixelBytes;
            planes[i - inImage + inImage % Planes * Side * Side + inImage / Planes] = values[i];
        }

        return planes;
    }

    private static int[] Labels(string path, PickleDict batch, long most, CifarKind kind, int count)
    {
        string key = kind == CifarKind.Cifar10 ? "labels" : "fine_labels";
        PickledBytes? list = PickledBytes.Of(batch.Find(key), key, most, what => Error(path, what));
        if (list is not { Shape: [_] or [_, 1] } || list.Values.Length != count)
            throw Error(path, $"it has no list '{key}' of {count} labels");
        int[] labels = Array.ConvertAll(list.Values, label => (int)label);
        int classes = CifarBinary.ClassNames(kind).Count, wrong = Array.FindIndex(labels, label => label >= classes);
        if (wrong >= 0) throw Error(path, $"image {wrong} has label {labels[wrong]} where 0 to {classes - 1} are expected");
        return labels;
    }

    private static DataException Error(string path, string what) =>
        new($"'{path}' is not a sound CIFAR Python batch: {what}; unpack the archive again.");
}
