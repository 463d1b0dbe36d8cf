namespace Rpat.Training.Data;

/// <summary>Opens data sets by name. Pixels stay as they are in the files: normalisation is the model's first layer.</summary>
internal static class DataSets
{
    private const string Full = ":full", Given = "memory:";

    /// <summary>Their names as people type them.</summary>
    internal static KnownNames Names { get; } = new("data sets", () => All.Select(set => set.Name))
    {
        Knows = spec => new[] { NpzSet.Prefix, ImageFolder.Prefix, Given }.Any(prefix => IsPath(spec, prefix)),
        Short = new Dictionary<string, string> { ["tinyimagenet200"] = TinyImageNet.Name },
        Command = "rpat data",
        IsOpen = true,
        Meaning = text => Directory.Exists(text) ? ImageFolder.Prefix + text : File.Exists(text) ? NpzSet.Prefix + text : null,
    };

    /// <summary>Every data set that <see cref="Open"/> supports.</summary>
    internal static IReadOnlyList<DataSetInfo> All =>
    [
        .. Own,
        .. DataSetAttribute.All.Select(set => new DataSetInfo(set.Name, set.Title, set.Shape, set.Classes, set.Images, set.LookedFor,
        set.Licence)),
    ];

    private static IReadOnlyList<DataSetInfo> Own { get; } =
    [
        new(FashionMnistSet.Name, "Fashion-MNIST, subset", "1x28x28", 10, "6,000 + 1,000", "ships inside the program", "MIT"),
        new(
            FashionMnistSet.Name + Full, "Fashion-MNIST", "1x28x28", 10, "60,000 + 10,000",
            $"four idx-ubyte files, plain or .gz, in DATA-DIR, DATA-DIR/{FashionMnistSet.Name} or {FashionMnistSet.DebianFolder}", "MIT"),
        Cifar(CifarKind.Cifar10),
        Cifar(CifarKind.Cifar100),
        new(
            TinyImageNet.Name, "Tiny-ImageNet-200", "3x64x64", 200, "100,000 + 10,000",
            $"{TinyImageNet.PackedName}, or the folders train and val of JPEG files, in DATA-DIR or DATA-DIR/{TinyImageNet.FolderName}",
            "ImageNet's terms: research only"),
        new(
            NpzSet.Prefix + "FILE", "your own images", "1 or 3 channels, any size", null, "as the file has",
            "images, labels and, for a held-out part, test_images and test_labels in FILE", "yours"),
        new(
            ImageFolder.Prefix + "DIR", "your own pictures", "3 channels, any one size", null, "as the folders have",
            "DIR/train/CLASS/* with DIR/val or DIR/test, or DIR/CLASS/*, of JPEG and PNG files", "yours"),
    ];

    /// <summary>Opens a data set. The same name gives the same images on every machine.</summary>
    /// <param name="spec">One of the names of <see cref="All"/>, with a path for FILE.</param>
    /// <param name="dataDir">The folder given with <c>--data-dir</c>; <c>data</c> in the current folder when null.</param>
    /// <exception cref="DataSpecException">There is no such data set.</exception>
    /// <exception cref="DataException">Its files are missing or damaged.</exception>
    internal static DataPair Open(string spec, string? dataDir)
    {
        string folder = string.IsNullOrEmpty(dataDir) ? DataFolders.Default : dataDir;
        DataPair pair = Names.Canonical(spec) switch
        {
            FashionMnistSet.Name => FashionMnistSet.OpenSubset(),
            FashionMnistSet.Name + Full => FashionMnistSet.OpenFull(folder),
            "cifar10" => CifarSet.Open(CifarKind.Cifar10, folder),
            "cifar100" => CifarSet.Open(CifarKind.Cifar100, folder),
            TinyImageNet.Name => TinyImageNet.Open(folder, ImageFiles.Decode),
            _ when spec.StartsWith(ImageFolder.Prefix, StringComparison.Ordinal) =>
                ImageFolder.Open(spec[ImageFolder.Prefix.Length..], ImageFiles.Decode),
            _ when spec.StartsWith(NpzSet.Prefix, StringComparison.Ordinal) => NpzSet.Open(spec[NpzSet.Prefix.Length..]),
            _ when spec.StartsWith(Given, StringComparison.Ordinal) => throw new DataSpecException(
                $"the images of '{spec}' were in the memory of the program that trained on them: name the same ones in a file, such as "
                    + "npz:FILE."),
            var name => Declared(DataSetAttribute.Find(name)
                ?? throw Unknown(spec), folder),
        };
        RequirePair(pair.Train, pair.Test, pair.Source);
        return pair;
    }

    /// <summary>The error for a name that no data set has.</summary>
    internal static DataSpecException Unknown(string spec) => new($"there is no data set '{spec}': {Names.Hint(spec)}");

    /// <summary>A data set in the program's memory.</summary>
    /// <exception cref="DataException">A part is empty, or they differ in size or classes.</exception>
    internal static DataPair Pair(LabeledImages train, LabeledImages test)
    {
        ArgumentNullException.ThrowIfNull(train);
        ArgumentNullException.ThrowIfNull(test);
        RequirePair(train, test, train.Name);
        return new(train, test, Given + train.Name, []);
    }

    private static void RequirePair(LabeledImages train, LabeledImages test, string name)
    {
        if (train.Count == 0 || test.Count == 0)
            throw new DataException($"data set '{name}' has no images to train or to test on: give at least one of each.");
        if ((train.Channels, train.Height, train.Width) != (test.Channels, test.Height, test.Width)
            || train.ClassNames.Count != test.ClassNames.Count)
            throw new DataException($"data set '{name}' has images of {Size(train)} classes to train on, and of {Size(test)} to test "
                + "on: give both the same.");

        static string Size(LabeledImages set) => $"{set.Channels}x{set.Height}x{set.Width} in {set.ClassNames.Count}";
    }

    private static bool IsPath(string spec, string prefix) =>
        spec.StartsWith(prefix, StringComparison.Ordinal) && spec.Length > prefix.Length;

    private static DataPair Declared(DataSetAttribute set, string folder)
    {
        try
        {
            var (train, test) = set.Open(folder);
            return Pair(train, test) with { Source = set.Name, Notes = Contradiction(set, train) is { } wrong ? [wrong] : [] };
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException && error is not FileLoadException)
        {
            throw new DataException(PluginFailure.Of(error) is { } failure ? $"data set '{set.Name}' of {failure}"
                : $"data set '{set.Name}': {error.Message}", error);
        }
    }

    /// <summary>Where images are not as their set's attribute says, in one sentence; null if they are.</summary>
    internal static string? Contradiction(DataSetAttribute set, LabeledImages images)
    {
        string shape = FormattableString.Invariant($"{images.Channels}x{images.Height}x{images.Width}");
        bool differs = set.Classes != images.ClassNames.Count
            || set.Shape.All(c => char.IsAsciiDigit(c) || c == 'x') && set.Shape != shape;
        return differs ? $"data set '{set.Name}' is declared as {set.Shape} with {Format.Count(set.Classes, "class", "es")}, and has "
            + $"{shape} with {images.ClassNames.Count}: correct its attribute." : null;
    }

    private static DataSetInfo Cifar(CifarKind kind) => new(
        CifarSet.Name(kind), CifarSet.Title(kind), "3x32x32", CifarBinary.ClassNames(kind).Count, "50,000 + 10,000",
        $"{string.Join(", ", CifarSet.BinaryFiles(kind))} in DATA-DIR or DATA-DIR/{CifarBinary.FolderName(kind)},"
        + $" or the Python batches in DATA-DIR/{CifarPython.FolderName(kind)}",
        "no licence stated; cite Krizhevsky, 'Learning multiple layers of features from tiny images', 2009");
}

/// <summary>A data set ready for training and evaluation.</summary>
/// <param name="Notes">Sentences that a user must see before trusting results on this data; usually none.</param>
internal sealed record DataPair(LabeledImages Train, LabeledImages Test, string Source, IReadOnlyList<string> Notes)
{
    /// <summary>Those of the notes that are about the images and not about their files, so that they go with the images.</summary>
    public IReadOnlyList<string> Lasting { get; init; } = [];
}

/// <summary>One line of the list of data sets.</summary>
/// <param name="Name">Its name in <c>--data</c> and <c>data.name</c>.</param>
/// <param name="Shape">Channels x height x width of an image, or what determines it.</param>
/// <param name="Classes">The number of classes; null if the file determines it.</param>
/// <param name="LookedFor">Which files are looked for, and where.</param>
internal sealed record DataSetInfo(
    string Name, string Title, string Shape, int? Classes, string Images, string LookedFor, string Licence);
