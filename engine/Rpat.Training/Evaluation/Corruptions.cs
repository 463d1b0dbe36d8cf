namespace Rpat.Training.Evaluation;

/// <summary>One cell of the grid: accuracy under a corruption at a severity.</summary>
internal sealed record CorruptionCell(string Name, int Severity, Accuracy Accuracy);

/// <summary>
/// CIFAR-C (attacks.md 3.2): fifteen corruptions in five severities, each a NAME.npy of 8-bit [5·M, H, W, C] images, severity s being
/// rows (s−1)·M to s·M−1, and one labels.npy. The robust accuracy is the plain mean over all cells.
/// </summary>
internal static class Corruptions
{
    private const int Severities = 5;

    /// <summary>The corruptions, in RobustBench's order.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        "shot_noise", "motion_blur", "snow", "pixelate", "gaussian_noise", "defocus_blur", "brightness", "fog", "zoom_blur", "frost",
        "glass_blur", "impulse_noise", "contrast", "jpeg_compression", "elastic_transform",
    ];

    /// <summary>Measures a network on every cell.</summary>
    /// <param name="count">Images of each severity, from the first; 0 for all.</param>
    /// <exception cref="DataException">A file is missing, damaged or has the wrong shape.</exception>
    public static IReadOnlyList<CorruptionCell> Run(Classifier net, string folder, int count, int batch, Action<string> log)
    {
        long[] labels = Npy.Read(Path.Combine(folder, "labels.npy")).ToInt64();
        var evaluator = new Evaluator(net, batch);
        var cells = new List<CorruptionCell>();
        foreach (string name in Names)
        {
            var array = Npy.Read(Path.Combine(folder, name + ".npy"));
            for (int severity = 1; severity <= Severities; severity++)
                cells.Add(new CorruptionCell(name, severity, evaluator.Run(Slice(array, labels, severity, count, net, folder))));
            foreach (string line in name == Names[0] ? SuspectValues.Above("--n", count, (int)(array.Shape[0] / Severities),
                "images of each severity", "all of them are measured") : []) log(line);
            log($"{name}: {string.Join(' ', cells.TakeLast(Severities).Select(cell => Percent(cell.Accuracy.Fraction)))}");
        }
        return cells;
    }

    /// <summary>Mean accuracy over all cells.</summary>
    public static double Mean(IReadOnlyList<CorruptionCell> cells) => cells.Average(cell => cell.Accuracy.Fraction);

    /// <summary>Writes the grid in the leaderboard's form: a line of corruptions, one of severities, one of accuracies.</summary>
    public static void WriteCsv(string path, IReadOnlyList<CorruptionCell> cells, string model)
    {
        var text = new StringBuilder();
        text.Append("corruption,").AppendJoin(',', cells.Select(c => c.Name)).Append('\n');
        text.Append("severity,").AppendJoin(',', cells.Select(c => c.Severity)).Append('\n');
        text.Append(model).Append(',').AppendJoin(',', cells.Select(c => c.Accuracy.Fraction.ToString("R", CultureInfo.InvariantCulture)))
            .Append('\n');
        AtomicFile.WriteText(path, text.ToString());
    }

    private static LabeledImages Slice(NamedArray array, long[] labels, int severity, int count, Classifier net, string folder)
    {
        var own = net.InputShape;
        long each = array.Shape.Length == 4 ? array.Shape[0] / Severities : 0;
        if (array.Type != ElementType.U8 || each == 0 || array.Shape[0] % Severities != 0 || labels.Length < each
            || (array.Shape[1], array.Shape[2], array.Shape[3]) != (own.H, own.W, own.C))
            throw new DataException(
                $"'{array.Name}.npy' in '{folder}' is {array.Type} [{string.Join(", ", array.Shape)}] where 8-bit [5*M, {own.H}, "
                    + $"{own.W}, {own.C}] with M labels is expected: give the folder of CIFAR-10-C or CIFAR-100-C.");
        int wanted = count == 0 ? (int)each : (int)Math.Min(count, each);
        var pixels = PlanesFirst(array.Data.Span.Slice((int)((severity - 1) * each * own.SampleCount), wanted * own.SampleCount), own.C,
            own.Area);
        string[] classes = [.. Enumerable.Range(0, net.Classes).Select(k => k.ToString(CultureInfo.InvariantCulture))];
        return new LabeledImages(array.Name, own.C, own.H, own.W, pixels, [.. labels.Take(wanted).Select(y => (int)y)], classes);
    }

    // [N, pixels, C] to [N, C, pixels].
    private static byte[] PlanesFirst(ReadOnlySpan<byte> source, int channels, int area)
    {
        var result = new byte[source.Length];
        int size = channels * area;
        for (int i = 0; i < source.Length; i++) result[i - i % size + i % channels * area + i % size / channels] = source[i];
        return result;
    }

    private static string Percent(double fraction) => (100 * fraction).ToString("F1", CultureInfo.InvariantCulture);
}
