using Rpat.Engine.IO;

namespace Rpat.Trainer.Data;

/// <summary>
/// Tiny-ImageNet-200, packed or as its folder of JPEG files. Classes are numbered in ordinal order of their ids, not in that of
/// <c>wnids.txt</c>. Held-out pictures lie in <c>val/images</c> beside <c>val_annotations.txt</c>, or already in a folder for each class.
/// </summary>
internal static class TinyImageNet
{
    internal const string Name = "tiny-imagenet";
    internal const string FolderName = "tiny-imagenet-200";
    internal const string PackedName = FolderName + ".npz";

    /// <summary>Opens the packed file where there is one, else the folder.</summary>
    /// <exception cref="DataException">Neither is there, or it is damaged.</exception>
    internal static DataPair Open(string dataDir, Func<string, RgbImage> decode)
    {
        string packed = Path.Combine(dataDir, PackedName);
        if (File.Exists(packed)) return NpzSet.Open(packed);
        string[] folders = [dataDir, Path.Combine(dataDir, FolderName)];
        string folder = DataFolders.Find(
            "Tiny-ImageNet", folders, ["train", "val"], Directory.Exists,
            $"put {PackedName} or the unpacked {FolderName}.zip there or give its folder with --data-dir");
        return OpenFolder(folder, decode);
    }

    private static DataPair OpenFolder(string folder, Func<string, RgbImage> decode)
    {
        string train = Path.Combine(folder, "train");
        string[] ids = ImageFolder.Classes(train), names = Names(folder, ids);
        (string, int)[] files = [.. ids.SelectMany((id, label) => ImageFolder.Pictures(Path.Combine(train, id)).Select(path => (path, label)))];
        return new(
            ImageFolder.Read(Name, files, names, decode), ImageFolder.Read(Name, HeldOut(Path.Combine(folder, "val"), ids), names, decode), folder,
            [$"'{folder}' was decoded picture by picture: 'rpat data pack {Name}' makes a file that opens in seconds."]);
    }

    private static List<(string Path, int Label)> HeldOut(string folder, string[] ids)
    {
        string annotations = Path.Combine(folder, "val_annotations.txt"), images = Path.Combine(folder, "images");
        bool original = File.Exists(annotations) && Directory.Exists(images);
        var labels = original ? ReadAnnotations(annotations, ids) : [];
        return original
            ? [.. ImageFolder.Pictures(images).Select(path => (path, LabelOf(labels, path, annotations))).OrderBy(file => file.Item2)]
            : [.. ids.SelectMany((id, label) => ImageFolder.Pictures(Path.Combine(folder, id)).Select(path => (path, label)))];
    }

    private static Dictionary<string, int> ReadAnnotations(string path, string[] ids)
    {
        var labels = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (string[] cells in File.ReadLines(path).Where(line => line.Length > 0).Select(line => line.Split('\t')))
        {
            int label = cells.Length < 2 ? -1 : Array.BinarySearch(ids, cells[1], StringComparer.Ordinal);
            if (label < 0) throw new DataException($"'{path}' has the line '{string.Join(' ', cells)}' with no class of 'train': unpack the archive again.");
            labels[cells[0]] = label;
        }

        return labels;
    }

    private static int LabelOf(Dictionary<string, int> labels, string picture, string annotations) =>
        labels.TryGetValue(Path.GetFileName(picture), out int label)
            ? label
            : throw new DataException($"'{picture}' does not stand in '{annotations}': unpack the archive again.");

    // The first name of each id, where words.txt has it.
    private static string[] Names(string folder, string[] ids)
    {
        string path = Path.Combine(folder, "words.txt");
        if (!File.Exists(path)) return ids;
        var words = File.ReadLines(path).Select(line => line.Split('\t')).Where(cells => cells.Length > 1)
            .DistinctBy(cells => cells[0]).ToDictionary(cells => cells[0], cells => cells[1].Split(',')[0]);
        return [.. ids.Select(id => words.GetValueOrDefault(id, id))];
    }
}
