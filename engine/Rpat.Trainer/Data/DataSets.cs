using Rpat.Engine.IO;
using Rpat.Trainer.Errors;

namespace Rpat.Trainer.Data;

/// <summary>Opens data sets by name. Pixels stay as they are in the files: normalisation is the model's first layer.</summary>
internal static class DataSets
{
    private const string Full = ":full";

    /// <summary>Every data set that <see cref="Open"/> knows.</summary>
    internal static IReadOnlyList<DataSetInfo> All { get; } =
    [
        new(FashionMnistSet.Name, "Fashion-MNIST, subset", "1x28x28", 10, "6,000 + 1,000", "ships inside the program", "MIT"),
        new(
            FashionMnistSet.Name + Full, "Fashion-MNIST", "1x28x28", 10, "60,000 + 10,000",
            $"four idx-ubyte files, plain or .gz, in DATA-DIR, DATA-DIR/{FashionMnistSet.Name} or {FashionMnistSet.DebianFolder}", "MIT"),
        Cifar("cifar10", "CIFAR-10", CifarKind.Cifar10),
        Cifar("cifar100", "CIFAR-100", CifarKind.Cifar100),
        new(
            NpzSet.Prefix + "FILE", "your own images", "1 or 3 channels, any size", null, "as the file has",
            "images, labels and, for a held-out part, test_images and test_labels in FILE", "yours"),
    ];

    /// <summary>Opens a data set. The same name gives the same images on every machine.</summary>
    /// <param name="spec">One of the names of <see cref="All"/>, with a path for FILE.</param>
    /// <param name="dataDir">The folder given with <c>--data-dir</c>; <c>data</c> in the current folder when null.</param>
    /// <exception cref="DataSpecException">There is no such data set.</exception>
    /// <exception cref="DataException">Its files are missing or damaged.</exception>
    internal static DataPair Open(string spec, string? dataDir)
    {
        string folder = string.IsNullOrEmpty(dataDir) ? DataFolders.Default : dataDir;
        return spec switch
        {
            FashionMnistSet.Name => FashionMnistSet.OpenSubset(),
            FashionMnistSet.Name + Full => FashionMnistSet.OpenFull(folder),
            "cifar10" => OpenCifar(CifarKind.Cifar10, folder),
            "cifar100" => OpenCifar(CifarKind.Cifar100, folder),
            _ when spec.StartsWith(NpzSet.Prefix, StringComparison.Ordinal) => NpzSet.Open(spec[NpzSet.Prefix.Length..]),
            _ => throw Unknown(spec),
        };
    }

    private static DataPair OpenCifar(CifarKind kind, string dataDir)
    {
        string[] folders = [dataDir, Path.Combine(dataDir, CifarBinary.FolderName(kind))];
        string title = kind == CifarKind.Cifar10 ? "CIFAR-10" : "CIFAR-100";
        string folder = DataFolders.Find(
            title, folders, CifarFiles(kind), File.Exists,
            $"unpack the binary version from https://www.cs.toronto.edu/~kriz/cifar.html there or give its folder with --data-dir");
        return new(CifarBinary.ReadSet(folder, kind, train: true), CifarBinary.ReadSet(folder, kind, train: false), folder, []);
    }

    private static string[] CifarFiles(CifarKind kind) =>
        [.. CifarBinary.FileNames(kind, train: true), .. CifarBinary.FileNames(kind, train: false)];

    private static DataSetInfo Cifar(string name, string title, CifarKind kind) => new(
        name, title, "3x32x32", CifarBinary.ClassNames(kind).Count, "50,000 + 10,000",
        $"{string.Join(", ", CifarFiles(kind))} in DATA-DIR or DATA-DIR/{CifarBinary.FolderName(kind)}",
        "no licence stated; cite Krizhevsky, 'Learning multiple layers of features from tiny images', 2009");

    private static DataSpecException Unknown(string spec)
    {
        string[] names = [.. All.Select(set => set.Name)];
        return new($"There is no data set '{spec}': {Nearest.Hint(spec, names, "data sets")}");
    }
}
