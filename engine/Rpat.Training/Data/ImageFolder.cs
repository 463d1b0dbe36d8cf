using Rpat.Training.Data.Jpeg;

namespace Rpat.Training.Data;

/// <summary>
/// Pictures in one folder for each class: <c>DIR/train/CLASS/**</c> with <c>DIR/val</c> or <c>DIR/test</c>, or <c>DIR/CLASS/**</c>. Classes
/// are numbered in ordinal order of their names, pictures of a class are in ordinal order of their paths.
/// </summary>
internal static class ImageFolder
{
    internal const string Prefix = "folder:";

    private static readonly string[] _heldOut = ["val", "test"];

    /// <summary>Opens a folder; the pictures are decoded at once.</summary>
    /// <param name="decode">Decodes a file; <see cref="ImageFiles.Decode(string)"/> except in tests.</param>
    /// <exception cref="DataException">There are no pictures, a picture is damaged, or one has a different size.</exception>
    internal static DataPair Open(string folder, Func<string, RgbImage> decode)
    {
        if (!Directory.Exists(folder)) throw new DataException($"'{folder}' is not a folder: check the path.");
        string train = Path.Combine(folder, "train"), name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
        string? test = _heldOut.Select(part => Path.Combine(folder, part)).FirstOrDefault(Directory.Exists);
        if (!Directory.Exists(train)) return Undivided(name, folder, decode);
        if (test is null)
            throw new DataException($"'{folder}' has a folder 'train' but neither 'val' nor 'test': add the held-out pictures.");
        string[] classes = PictureTree.Classes(train);
        CheckKnown(test, classes);
        (string, int)[] trainFiles = Files(train, classes), testFiles = Files(test, classes);
        CheckFilled(train, trainFiles, classes);
        CheckFilled(test, testFiles, []);
        string[] missing = Missing(test, testFiles, classes);
        return new(
            Read(name, trainFiles, classes, decode), Read(name, testFiles, classes, decode), folder,
            [.. missing, .. PictureTree.LeftOut(train), .. PictureTree.LeftOut(test)])
        { Lasting = missing };
    }

    /// <summary>Decodes pictures into one set.</summary>
    /// <exception cref="DataException">There is no picture, one is damaged, or one has a different size from the first.</exception>
    internal static LabeledImages Read(
        string name, IReadOnlyList<(string Path, int Label)> files, IReadOnlyList<string> classes, Func<string, RgbImage> decode)
    {
        if (files.Count == 0)
            throw new DataException($"'{name}' has no pictures ({string.Join(", ", ImageFiles.Extensions)}): check the folder.");
        RgbImage first = decode(files[0].Path);
        long bytes = (long)files.Count * first.Pixels.Length;
        if (bytes > Array.MaxLength)
            throw new DataException(
                $"'{name}' has {bytes >> 20} MiB of pixels where {Array.MaxLength >> 20} fit in memory: scale its pictures down.");
        byte[] pixels = new byte[bytes];
        try
        {
            Parallel.For(0, files.Count, i => Copy(files[i].Path, i == 0 ? first : decode(files[i].Path), files[0].Path, first, pixels, i));
        }
        catch (AggregateException error)
        {
            throw error.InnerExceptions.OfType<DataException>().OrderBy(e => e.Message, StringComparer.Ordinal).FirstOrDefault()
                ?? error.InnerExceptions[0];
        }

        return new(name, 3, first.Height, first.Width, pixels, [.. files.Select(f => f.Label)], classes);
    }

    /// <summary>The pictures of each class, in ordinal order of their paths.</summary>
    internal static (string Path, int Label)[] Files(string folder, string[] classes) =>
        [.. classes.SelectMany((name, label) => PictureTree.Pictures(Path.Combine(folder, name)).Select(path => (path, label)))];

    /// <summary>Refuses held-out classes that training does not have.</summary>
    /// <exception cref="DataException">There is one with pictures.</exception>
    internal static void CheckKnown(string folder, IEnumerable<string> classes)
    {
        string? unknown = PictureTree.Classes(folder).Except(classes).Select(name => Path.Combine(folder, name))
            .FirstOrDefault(path => PictureTree.Pictures(path).Any());
        if (unknown is not null)
            throw new DataException($"'{unknown}' is a class that 'train' does not have: add it there, rename it or take it away.");
    }

    /// <summary>Refuses classes without pictures, which are mistakes or not classes.</summary>
    /// <exception cref="DataException">There is one.</exception>
    internal static void CheckFilled(string folder, (string, int Label)[] files, string[] classes)
    {
        string? empty = files.Length == 0 ? "" : Without(files, classes).FirstOrDefault();
        if (empty is not null)
            throw new DataException(
                $"'{Path.Combine(folder, empty)}' has no pictures ({string.Join(", ", ImageFiles.Extensions)}): fill it or take it away.");
    }

    /// <summary>A sentence on classes without held-out images, if there are any.</summary>
    internal static string[] Missing(string folder, (string, int Label)[] files, string[] classes) =>
        Without(files, classes) is { Length: > 0 } empty
            ? [$"'{folder}' has no pictures of {empty.Length} of {classes.Length} classes, '{empty[0]}' first."]
            : [];

    private static string[] Without((string, int Label)[] files, string[] classes)
    {
        HashSet<int> there = [.. files.Select(file => file.Label)];
        return [.. classes.Where((_, label) => !there.Contains(label))];
    }

    private static DataPair Undivided(string name, string folder, Func<string, RgbImage> decode)
    {
        string[] classes = PictureTree.Classes(folder);
        (string, int)[] files = Files(folder, classes);
        CheckFilled(folder, files, classes);
        LabeledImages all = Read(name, files, classes, decode);
        return new(all, all, folder,
        [
            $"'{folder}' has no 'train' and 'val': its pictures serve for training and testing, so accuracy is not held-out accuracy.",
            .. PictureTree.LeftOut(folder),
        ]);
    }

    // [H, W, RGB] to [3, H, W], at the picture's position.
    private static void Copy(string path, RgbImage image, string firstPath, RgbImage first, byte[] pixels, int place)
    {
        if ((image.Width, image.Height) != (first.Width, first.Height))
            throw new DataException(string.Create(CultureInfo.InvariantCulture,
                $"'{path}' is {image.Width}x{image.Height} where '{firstPath}' is {first.Width}x{first.Height}: scale all pictures to "
                    + $"one size."));
        int area = image.Width * image.Height;
        Span<byte> to = pixels.AsSpan(place * 3 * area, 3 * area);
        for (int i = 0; i < to.Length; i++) to[i % 3 * area + i / 3] = image.Pixels[i];
    }
}
