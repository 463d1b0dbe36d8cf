using Rpat.Training.Data.Jpeg;

namespace Rpat.Training.Data;

/// <summary>
/// Tiny-ImageNet-200, packed or as its folder of JPEG files. Classes are numbered in ordinal order of their ids, not in that of
/// <c>wnids.txt</c>. Held-out pictures are in <c>val/images</c> next to <c>val_annotations.txt</c>, or already in one folder per class.
/// </summary>
internal static class TinyImageNet
{
    internal const string Name = "tiny-imagenet";
    internal const string FolderName = "tiny-imagenet-200";
    internal const string PackedName = FolderName + ".npz";

    private const string Images = "images";

    /// <summary>Opens the packed file if there is one, otherwise the folder.</summary>
    /// <exception cref="DataException">Neither exists, or it is damaged.</exception>
    internal static DataPair Open(string dataDir, Func<string, RgbImage> decode)
    {
        string packed = Path.Combine(dataDir, PackedName);
        if (File.Exists(packed)) return NpzSet.Open(packed);
        string[] folders = [dataDir, Path.Combine(dataDir, FolderName)];
        string folder = DataFolders.Find(
            "Tiny-ImageNet", folders, ["train", "val"], Directory.Exists,
            $"put {PackedName} or the unpacked {FolderName}.zip there or give its folder as data.dir");
        return OpenFolder(folder, decode);
    }

    private static DataPair OpenFolder(string folder, Func<string, RgbImage> decode)
    {
        string train = Path.Combine(folder, "train"), val = Path.Combine(folder, "val");
        string[] ids = PictureTree.Classes(train), names = Names(folder, ids);
        (string, int)[] files = ImageFolder.Files(train, ids), heldOut = HeldOut(val, ids);
        ImageFolder.CheckFilled(train, files, ids);
        ImageFolder.CheckKnown(val, ids.Append(Images));
        string[] missing = ImageFolder.Missing(val, heldOut, ids);
        return new(ImageFolder.Read(Name, files, names, decode), ImageFolder.Read(Name, heldOut, names, decode), folder,
            [$"'{folder}' was decoded picture by picture: 'rpat data pack {Name}' makes a file that opens in seconds.", .. missing])
        { Lasting = missing };
    }

    // If the pictures were sorted into classes, their list and an empty folder may remain. All layouts give the same order.
    private static (string Path, int Label)[] HeldOut(string folder, string[] ids)
    {
        string annotations = Path.Combine(folder, "val_annotations.txt");
        string[] unsorted = [.. PictureTree.Pictures(Path.Combine(folder, Images))];
        if (unsorted.Length > 0 && !File.Exists(annotations))
            throw new DataException($"'{annotations}' is missing, which says the pictures' classes: unpack the archive again.");
        Dictionary<string, int> labels = unsorted.Length > 0 ? ReadAnnotations(annotations, ids) : [];
        return
        [
            .. ImageFolder.Files(folder, ids).Concat(unsorted.Select(path => (path, LabelOf(labels, path, annotations))))
                .OrderBy(file => file.Item2).ThenBy(file => Path.GetFileName(file.Item1), StringComparer.Ordinal),
        ];
    }

    private static Dictionary<string, int> ReadAnnotations(string path, string[] ids)
    {
        var labels = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (string[] cells in RegularFile.ReadLines(path).Where(line => line.Length > 0).Select(line => line.Split('\t')))
        {
            int label = cells.Length < 2 ? -1 : Array.BinarySearch(ids, cells[1], StringComparer.Ordinal);
            if (label < 0) throw new DataException(
                $"'{path}' has the line '{string.Join(' ', cells)}' with no class of 'train': unpack the archive again.");
            labels[cells[0]] = label;
        }

        return labels;
    }

    private static int LabelOf(Dictionary<string, int> labels, string picture, string annotations) =>
        labels.TryGetValue(Path.GetFileName(picture), out int label)
            ? label
            : throw new DataException($"'{picture}' does not stand in '{annotations}': unpack the archive again.");

    // The first name of each id, if words.txt has it.
    private static string[] Names(string folder, string[] ids)
    {
        string path = Path.Combine(folder, "words.txt");
        if (!File.Exists(path)) return ids;
        var words = RegularFile.ReadLines(path).Select(line => line.Split('\t')).Where(cells => cells.Length > 1)
            .DistinctBy(cells => cells[0]).ToDictionary(cells => cells[0], cells => cells[1].Split(',')[0]);
        return [.. ids.Select(id => words.GetValueOrDefault(id, id))];
    }
}
