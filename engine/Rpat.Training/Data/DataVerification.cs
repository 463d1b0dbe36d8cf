using System.Security.Cryptography;

namespace Rpat.Training.Data;

/// <summary>Checks a data set's files against what is published about them.</summary>
internal static class DataVerification
{
    // MD5 sums published by the authors of CIFAR and by public loaders; they guard against damage, not against manipulation.
    private static readonly (string File, string Md5)[] _published =
    [
        ("cifar-10-batches-py/data_batch_1", "c99cafc152244af753f735de768cd75f"),
        ("cifar-10-batches-py/data_batch_2", "d4bba439e000b95fd0a9bffe97cbabec"),
        ("cifar-10-batches-py/data_batch_3", "54ebc095f3ab1f0389bbae665268c751"),
        ("cifar-10-batches-py/data_batch_4", "634d18415352ddfa80567beed471001a"),
        ("cifar-10-batches-py/data_batch_5", "482c414d41f54cd18b22e5b47cb7c3cb"),
        ("cifar-10-batches-py/test_batch", "40351d587109b95175f43aff81a1287e"),
        ("cifar-100-python/train", "16019d7e3df5f24257cddd939b257f8d"),
        ("cifar-100-python/test", "f0ef6b0ae62326f3e7ffdfab6717acfc"),
        ("cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530"),
        ("cifar-10-python.tar.gz", "c58f30108f718f92721af3b95e74349a"),
        ("cifar-100-binary.tar.gz", "03b5dce01913d631647c71ecec9e9cb8"),
        ("cifar-100-python.tar.gz", "eb9058c3a382ffc7106e4002c42a8d85"),
        ("tiny-imagenet-200.zip", "90528d7ca1a48142e341f4ef8d21d0de"),
    ];

    private static readonly (string Set, string[] Files)[] _archives =
    [
        ("cifar10", ["cifar-10-batches-py/", "cifar-10-binary.tar.gz", "cifar-10-python.tar.gz"]),
        ("cifar100", ["cifar-100-python/", "cifar-100-binary.tar.gz", "cifar-100-python.tar.gz"]),
        (TinyImageNet.Name, ["tiny-imagenet-200.zip"]),
    ];

    private static readonly int[] _cifar10Begins = [6, 9, 9, 4, 1, 1, 2, 7, 8, 3];

    /// <summary>Checks sums, sizes and labels, and reports line by line what was checked.</summary>
    /// <param name="dataDir">Where its files are, or null for the usual place.</param>
    /// <exception cref="DataException">Something is missing or not as published; the message names the file.</exception>
    internal static IEnumerable<string> Run(string spec, string? dataDir)
    {
        string folder = string.IsNullOrEmpty(dataDir) ? DataFolders.Default : dataDir;
        foreach (var (file, md5) in _published.Where(item => Belongs(item.File, spec)))
            if (Find(folder, file) is { } path)
                yield return Sum(path, md5);
        DataPair pair = DataSets.Open(spec, dataDir);
        foreach (string line in Part("train", pair.Train).Append(Part("test", pair.Test).Single())) yield return line;
        if (DataSetAttribute.Find(spec) is { } set && DataSets.Contradiction(set, pair.Train) is { } wrong) throw new DataException(wrong);
        foreach (string note in pair.Notes) yield return note;
        bool real = !pair.Notes.Any(note => note.Contains("made-up", StringComparison.Ordinal));
        if (spec == "cifar10" && real) yield return Begin(pair);
    }

    /// <summary>Compares a file's MD5 sum.</summary>
    /// <exception cref="DataException">It differs.</exception>
    internal static string Sum(string path, string md5)
    {
        using FileStream file = RegularFile.Open(path);
        string found = Convert.ToHexStringLower(MD5.HashData(file));
        if (found == md5) return $"{path}: MD5 {md5}, as published";
        throw new DataException($"'{path}' has the MD5 sum {found} where {md5} is published: download or unpack it again.");
    }

    private static bool Belongs(string file, string spec) =>
        _archives.FirstOrDefault(a => a.Set == spec).Files is { } files
        && files.Any(prefix => file.StartsWith(prefix, StringComparison.Ordinal));

    // The data folder may be the one that the archive unpacks to or its parent.
    private static string? Find(string folder, string file)
    {
        string[] places = [Path.Combine(folder, file), Path.Combine(folder, Path.GetFileName(file))];
        string? found = places.FirstOrDefault(File.Exists);
        // 'train' and 'test' are names that any set may have.
        bool inside = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))) == Path.GetDirectoryName(file);
        return found is not null && (inside || Path.GetFileName(file) is not ("train" or "test")) || found == places[0] ? found : null;
    }

    private static IEnumerable<string> Part(string name, LabeledImages set)
    {
        int[] perClass = [.. set.Labels.CountBy(label => label).Select(pair => pair.Value)];
        yield return string.Create(CultureInfo.InvariantCulture,
            $"{name}: {set.Count} images of {set.Channels}x{set.Height}x{set.Width}, {perClass.Length} of {set.ClassNames.Count} "
                + $"classes, {(perClass.Min() == perClass.Max() ? "" : $"{perClass.Min()} to ")}{perClass.Max()} images each");
    }

    private static string Begin(DataPair pair)
    {
        int[] labels = pair.Train.Labels[..10];
        if (labels.SequenceEqual(_cifar10Begins)) return "the first training labels are CIFAR-10's";
        throw new DataException(
            $"'{pair.Source}' begins with the labels {string.Join(' ', labels)} where CIFAR-10 begins with "
                + $"{string.Join(' ', _cifar10Begins)}: unpack the archive again.");
    }
}
