namespace Rpat.Training.Evaluation;

/// <summary>
/// CIFAR-C (attacks.md 3.2): fifteen corruptions in five severities, each a NAME.npy of 8-bit [5·M, H, W, C] images, severity s being
/// rows (s−1)·M to s·M−1, and one labels.npy. The accuracy on corruptions is the plain mean over all cells.
/// </summary>
/// <param name="Names">The corruptions that are measured.</param>
/// <param name="Images">Images of each severity.</param>
/// <param name="Hash">SHA-256 of labels and images.</param>
internal sealed record Corruptions(string Folder, IReadOnlyList<string> Names, int Images, string Hash, Shape Image, int[] Labels)
{
    /// <summary>The severities are 1 to this.</summary>
    public const int Severities = 5;

    private const string LabelsFile = "labels";

    /// <summary>All of them, in RobustBench's order.</summary>
    public static KnownNames Known { get; } = new("corruptions", () =>
    [
        "shot_noise", "motion_blur", "snow", "pixelate", "gaussian_noise", "defocus_blur", "brightness", "fog", "zoom_blur", "frost",
        "glass_blur", "impulse_noise", "contrast", "jpeg_compression", "elastic_transform",
    ]);

    /// <summary>Checks every file before anything is measured.</summary>
    /// <param name="only">The corruptions to measure, with commas; null for all.</param>
    /// <param name="count">Images of each severity, from the first; 0 for all.</param>
    /// <param name="image">The network's images.</param>
    /// <param name="note">Receives what should be known before a result is trusted.</param>
    /// <exception cref="UsageException">There is no such corruption.</exception>
    /// <exception cref="DataException">A file is missing, damaged or has the wrong shape.</exception>
    public static Corruptions Open(string folder, string? only, int count, Shape image, int classes, Action<string> note)
    {
        string[] names = only is null ? [.. Known.All()] : [.. ConfigValue.Items(only).Select(name => Known.Match(name)
            ?? throw new UsageException($"--only has '{name}': {Known.Hint(name)}")).Distinct()];
        if (names.Length == 0) throw new UsageException("--only names nothing: give for instance fog,snow.");
        RequireFiles(folder, names);
        long[] labels = Npy.Read(PathOf(folder, LabelsFile)).ToInt64();
        List<byte[]> hashes = [];
        long least = long.MaxValue;
        foreach (string name in names)
        {
            var array = Npy.Read(PathOf(folder, name));
            least = Math.Min(least, Each(array, labels, image, folder));
            hashes.Add(Encoding.ASCII.GetBytes(EvaluationManifest.HashOf(array.Data.ToArray())));
        }
        int images = (int)(count == 0 ? least : Math.Min(count, least));
        if (labels.Take(images).Any(label => label < 0 || label >= classes))
            throw new DataException($"'{PathOf(folder, LabelsFile)}' has labels that are none of the network's {classes} classes: give the "
                + "folder that belongs to its data set.");
        foreach (string line in SuspectValues.Above("--n", count, (int)least, "images of each severity", "all of them are measured"))
            note(line);
        hashes.Add(MemoryMarshal.AsBytes(labels.AsSpan(0, images)).ToArray());
        return new(Path.GetFullPath(folder), names, images, EvaluationManifest.HashOf([.. hashes]), image,
            [.. labels.Take(images).Select(y => (int)y)]);
    }

    /// <summary>A corruption's images, by severity from 1.</summary>
    public IReadOnlyList<LabeledImages> Read(string name, int classes)
    {
        var array = Npy.Read(PathOf(Folder, name));
        long each = array.Shape[0] / Severities;
        string[] titles = [.. Enumerable.Range(0, classes).Select(k => k.ToString(CultureInfo.InvariantCulture))];
        return [.. Enumerable.Range(0, Severities).Select(severity => new LabeledImages(name, Image.C, Image.H, Image.W,
            PlanesFirst(array.Data.Span.Slice((int)(severity * each * Image.SampleCount), Images * Image.SampleCount), Image.C, Image.Area),
            Labels, titles))];
    }

    private static string PathOf(string folder, string name) => Path.Combine(folder, name + ".npy");

    private static void RequireFiles(string folder, string[] names)
    {
        string[] missing = [.. names.Prepend(LabelsFile).Where(name => !File.Exists(PathOf(folder, name)))],
            there = [.. names.Except(missing)];
        if (missing.Length == 0) return;
        string only = missing.Contains(LabelsFile) || there.Length == 0 ? ""
            : $", or measure what is there: --only {string.Join(',', there)}";
        throw new DataException($"'{folder}' lacks {string.Join(", ", missing.Select(name => name + ".npy"))}: give the folder of "
            + $"CIFAR-10-C or CIFAR-100-C{only}.");
    }

    private static long Each(NamedArray array, long[] labels, Shape image, string folder)
    {
        long each = array.Shape.Length == 4 ? array.Shape[0] / Severities : 0;
        return array.Type == ElementType.U8 && each > 0 && array.Shape[0] % Severities == 0 && labels.Length >= each
            && (array.Shape[1], array.Shape[2], array.Shape[3]) == (image.H, image.W, image.C) ? each
            : throw new DataException(
                $"'{array.Name}.npy' in '{folder}' is {array.Type} [{string.Join(", ", array.Shape)}] where 8-bit [5*M, {image.H}, "
                    + $"{image.W}, {image.C}] with M labels is expected: give the folder of CIFAR-10-C or CIFAR-100-C.");
    }

    // [N, pixels, C] to [N, C, pixels].
    private static byte[] PlanesFirst(ReadOnlySpan<byte> source, int channels, int area)
    {
        var result = new byte[source.Length];
        int size = channels * area;
        for (int i = 0; i < source.Length; i++) result[i - i % size + i % channels * area + i % size / channels] = source[i];
        return result;
    }
}
