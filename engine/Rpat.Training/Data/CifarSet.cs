namespace Rpat.Training.Data;

/// <summary>CIFAR-10 and CIFAR-100, from the binary files or the Python batches, whichever are
/// there; in the same order from both.</summary>
internal static class CifarSet
{
    /// <summary>In a folder of made-up files; such files may hold any number of images.</summary>
    internal const string MadeUpMark = "made-up.txt";

    /// <summary>Opens a set.</summary>
    /// <param name="dataDir">The folder of the files, or of the folder that the archive unpacks to.</param>
    /// <exception cref="DataException">Files are missing or damaged.</exception>
    internal static DataPair Open(CifarKind kind, string dataDir)
    {
        string? python = PythonFolders(kind, dataDir)
            .FirstOrDefault(folder => PythonFiles(kind).All(file => File.Exists(Path.Combine(folder, file))));
        if (python is not null && !HasBinary(kind, dataDir))
            return Pair(python, train => CifarPython.ReadSet(python, kind, train));
        string folder = DataFolders.Find(
            Title(kind), BinaryFolders(kind, dataDir), BinaryFiles(kind), File.Exists,
            "unpack the binary or the Python version from https://www.cs.toronto.edu/~kriz/cifar.html there or give its folder as "
                + $"data.dir, or make files to try things out with 'rpat data synth {Name(kind)} -o {dataDir}'");
        bool madeUp = File.Exists(Path.Combine(folder, MadeUpMark));
        return Pair(folder, train => CifarBinary.ReadSet(folder, kind, train, anyLength: madeUp));
    }

    /// <summary>A set's name in <c>data.name</c>.</summary>
    internal static string Name(CifarKind kind) => kind == CifarKind.Cifar10 ? "cifar10" : "cifar100";

    /// <summary>A set's published name.</summary>
    internal static string Title(CifarKind kind) => kind == CifarKind.Cifar10 ? "CIFAR-10" : "CIFAR-100";

    /// <summary>The files of the binary version.</summary>
    internal static string[] BinaryFiles(CifarKind kind) =>
        [.. CifarBinary.FileNames(kind, train: true), .. CifarBinary.FileNames(kind, train: false)];

    /// <summary>The files of the Python version.</summary>
    internal static string[] PythonFiles(CifarKind kind) =>
        [.. CifarPython.FileNames(kind, train: true), .. CifarPython.FileNames(kind, train: false)];

    private static string[] BinaryFolders(CifarKind kind, string dataDir) => [dataDir, Path.Combine(dataDir, CifarBinary.FolderName(kind))];

    private static string[] PythonFolders(CifarKind kind, string dataDir) => [dataDir, Path.Combine(dataDir, CifarPython.FolderName(kind))];

    private static bool HasBinary(CifarKind kind, string dataDir) =>
        BinaryFolders(kind, dataDir).Any(folder => BinaryFiles(kind).All(file => File.Exists(Path.Combine(folder, file))));

    private static DataPair Pair(string folder, Func<bool, LabeledImages> read)
    {
        bool madeUp = File.Exists(Path.Combine(folder, MadeUpMark));
        string[] notes = madeUp ? [$"'{folder}' holds made-up images: accuracy on them says nothing about the real set."] : [];
        return new(read(true), read(false), folder, notes) { Lasting = notes };
    }
}
