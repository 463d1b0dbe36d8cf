namespace Rpat.Training.Data;

/// <summary>
/// Fashion-MNIST: the subset that ships inside the executable, and the full IDX files. Xiao, Rasul, Vollgraf, "Fashion-MNIST: a
/// novel image dataset for benchmarking machine learning algorithms", 2017.
/// </summary>
internal static class FashionMnistSet
{
    internal const string Name = "fashion-mnist";
    internal const string DebianFolder = "/usr/share/datasets/fashion-mnist";

    private const string TrainPrefix = "train", TestPrefix = "t10k";

    internal static readonly string[] ClassNames =
        ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"];

    internal static readonly string[] Files =
        [ImageFile(TrainPrefix), LabelFile(TrainPrefix), ImageFile(TestPrefix), LabelFile(TestPrefix)];

    /// <summary>The embedded subset: the first 600 training and the first 100 test images of each class, in file order.</summary>
    internal static DataPair OpenSubset() =>
        new(Subset(TrainPrefix), Subset(TestPrefix), "the subset of Fashion-MNIST inside the program", []);

    /// <summary>All 60,000 and 10,000 images, from plain or gzip-packed IDX files.</summary>
    /// <exception cref="DataException">The files are not found or damaged.</exception>
    internal static DataPair OpenFull(string dataDir)
    {
        string folder = DataFolders.Find(
            "Fashion-MNIST", Folders(dataDir), Files, path => PlainOrPacked(path) is not null,
            $"install Debian's dataset-fashion-mnist, or give its folder as data.dir, or use the built-in subset, '{Name}'");
        return new(FromFolder(folder, TrainPrefix), FromFolder(folder, TestPrefix), folder, []);
    }

    /// <summary>Joins an IDX image array [N, H, W] and its labels [N].</summary>
    /// <exception cref="DataException">They are not 8-bit, not of these shapes, or do not fit each other.</exception>
    internal static LabeledImages Join(NamedArray images, NamedArray labels)
    {
        if (images.Type != ElementType.U8 || images.Shape is not [long count, > 0 and <= 4096, > 0 and <= 4096])
            throw new DataException($"'{images.Name}' does not hold 8-bit images [N, height, width]: take the idx3-ubyte file.");
        if (labels.Type != ElementType.U8 || labels.Shape is not [long labelCount] || labelCount != count)
            throw new DataException($"'{labels.Name}' does not hold an 8-bit label for each of {count} images: copy both files again.");
        int[] values = Array.ConvertAll(labels.Data.ToArray(), label => (int)label);
        return new(Name, 1, (int)images.Shape[1], (int)images.Shape[2], images.Data.ToArray(), values, ClassNames);
    }

    private static string ImageFile(string prefix) => $"{prefix}-images-idx3-ubyte";

    private static string LabelFile(string prefix) => $"{prefix}-labels-idx1-ubyte";

    private static string[] Folders(string dataDir) => [dataDir, Path.Combine(dataDir, Name), DebianFolder];

    private static LabeledImages FromFolder(string folder, string prefix) => Join(
        Idx.Read(PlainOrPacked(Path.Combine(folder, ImageFile(prefix)))!),
        Idx.Read(PlainOrPacked(Path.Combine(folder, LabelFile(prefix)))!));

    private static string? PlainOrPacked(string path) =>
        File.Exists(path) ? path : File.Exists(path + ".gz") ? path + ".gz" : null;

    private static LabeledImages Subset(string prefix) => Join(Resource(ImageFile(prefix)), Resource(LabelFile(prefix)));

    private static NamedArray Resource(string file)
    {
        string name = $"{Name}/{file}.gz";
        using Stream stream = typeof(FashionMnistSet).Assembly.GetManifestResourceStream(name)
            ?? throw new DataException($"'{name}' is missing inside the program: build or install it again.");
        return Idx.Read(stream, name);
    }
}
