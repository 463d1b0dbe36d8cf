namespace Rpat.Training.Data;

/// <summary>A made-up data set to be written to disk.</summary>
/// <param name="Kind"><c>cifar10</c>, <c>cifar100</c> or <c>npz</c>.</param>
/// <param name="Replaces">Whether an earlier one may be lost.</param>
internal sealed record SynthOrder(string Kind, int Train, int Test, ulong Seed, bool Replaces = false)
{
    private static readonly string[] _kinds = ["cifar10", "cifar100", "npz"];

    /// <summary>Makes the images and writes them.</summary>
    /// <param name="place">The npz set's file; for the others a folder, or null for the usual one.</param>
    /// <returns>What was written, and how to use it.</returns>
    /// <exception cref="UsageException">A number is out of range, or the kind is unknown.</exception>
    public string Write(string? place, Shape size, int classes)
    {
        if (!_kinds.Contains(Kind)) throw new UsageException($"'{Kind}' cannot be made up: {DidYouMean.Hint(Kind, _kinds, "kinds")}");
        if (Kind == "npz" && (classes is < 2 or > 10_000 || size.C is not (1 or 3)))
            throw new UsageException("a made-up npz set has 2 to 10000 classes and 1 or 3 channels: change --classes or --size.");
        int least = Kind == "npz" ? classes : Kind == "cifar10" ? 10 : 100;
        if (Train < least || Test < least || Train > 1_000_000 || Test > 1_000_000)
            throw new UsageException($"--n {Train} --test {Test} is out of range: give from {least}, an image for each class, to 1000000.");
        long values = Kind == "npz" ? size.SampleCount : 3 * 32 * 32;
        if (Math.Max(Train, Test) * values > Array.MaxLength)
            throw new UsageException($"--n {Train} --test {Test} images of {values} bytes are more than a set may have (2 GiB): make fewer "
                + "or smaller ones.");
        return Kind == "npz" ? WriteNpz(place!, size, classes) : WriteCifar(place ?? DataFolders.Default);
    }

    private string WriteNpz(string path, Shape size, int classes)
    {
        RequireFree(path, File.Exists(path));
        var images = new MadeUpImages(size.C, size.H, size.W, classes, Seed);
        NpzSet.Write(path, new DataPair(images.Make("made-up", Train, 0), images.Make("made-up", Test, 1), path, [])
        {
            Lasting = ["the set holds made-up images: accuracy on them says nothing about real ones."]
        });
        return $"{path}: {Train} + {Test} made-up images; train with --dataset npz:{path}";
    }

    private string WriteCifar(string place)
    {
        CifarKind kind = Kind == "cifar10" ? CifarKind.Cifar10 : CifarKind.Cifar100;
        var names = CifarBinary.ClassNames(kind);
        var images = new MadeUpImages(3, 32, 32, names.Count, Seed);
        string folder = Path.Combine(place, CifarBinary.FolderName(kind));
        if (Directory.Exists(folder) && !File.Exists(Path.Combine(folder, CifarSet.MadeUpMark))
            && Directory.EnumerateFileSystemEntries(folder).Any())
            throw new UsageException($"'{folder}' holds files that are not made up: choose another folder with -o.");
        RequireFree(folder, File.Exists(Path.Combine(folder, CifarBinary.FileNames(kind, train: false)[^1]))); // what is written last
        AtomicFile.MakeFolder(folder);
        AtomicFile.WriteText(Path.Combine(folder, CifarSet.MadeUpMark),
            "The pictures in this folder are made up by 'rpat data synth'; they only have CIFAR's form.\n");
        Split(folder, kind, CifarBinary.FileNames(kind, train: true), images.Make(Kind, Train, 0, names));
        Split(folder, kind, CifarBinary.FileNames(kind, train: false), images.Make(Kind, Test, 1, names));
        return $"{folder}: {Train} + {Test} made-up images; train with --dataset {Kind} --data-dir {place}";
    }

    // Runs may be reading it.
    private void RequireFree(string place, bool isTaken)
    {
        if (isTaken && !Replaces)
            throw new UsageException($"'{place}' exists: give --force to replace it, or choose another place with -o.");
    }

    private static void Split(string folder, CifarKind kind, IReadOnlyList<string> files, LabeledImages set)
    {
        int[] all = [.. Enumerable.Range(0, set.Count)];
        for (int i = 0; i < files.Count; i++)
        {
            int first = (int)((long)set.Count * i / files.Count), end = (int)((long)set.Count * (i + 1) / files.Count);
            CifarBinary.WriteFile(Path.Combine(folder, files[i]), kind, set.Subset(all.AsSpan(first, end - first)));
        }
    }
}
