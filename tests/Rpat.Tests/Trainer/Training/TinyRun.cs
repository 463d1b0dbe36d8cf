namespace Rpat.Tests.Trainer.Training;

/// <summary>A training run that takes a moment: 24 images of 8x8 pixels, 6 steps an epoch, a net of width 4.</summary>
internal static class TinyRun
{
    public const int StepsPerEpoch = 6;

    private const int Images = 24;

    /// <summary>The command line, on a data set in the test's folder.</summary>
    public static string[] Arguments(TestHost test) =>
    [
        "train", "--recipe", "fashion-quick", "--dataset", "npz:" + DataSet(test), "--set", "model.width=4", "--set", "attack.steps=1",
        "-b", "4",
        "--set", "eval.attacks=clean,pgd2", "--set", "optimizer.lr=0.01", "--set", "log.progress=none",
    ];

    /// <summary>Writes a data set.</summary>
    /// <param name="path">The file.</param>
    /// <param name="channels">Planes of an image.</param>
    /// <param name="firstLabel">The label of the first class.</param>
    public static string Write(string path, int channels = 1, int firstLabel = 0)
    {
        Npz.Write(path, [Pixels("images", 0, channels), Labels("labels", firstLabel), Pixels("test_images", 1, channels),
            Labels("test_labels", firstLabel)]);
        return path;
    }

    private static string DataSet(TestHost test) =>
        File.Exists(test.PathOf("tiny.npz")) ? test.PathOf("tiny.npz") : Write(test.PathOf("tiny.npz"));

    private static NamedArray Pixels(string name, int sample, int channels)
    {
        var values = new float[Images * channels * 64];
        new RandomKey(3, Purpose.Synthetic, 0, sample, 0, 0).Stream().FillUniform(values);
        return new NamedArray(name, ElementType.U8, [Images, channels, 8, 8], Array.ConvertAll(values, value => (byte)(value * 256)));
    }

    private static NamedArray Labels(string name, int first) =>
        NamedArray.FromInt64(name, [.. Enumerable.Range(0, Images).Select(i => first + (long)i % 3)], Images);
}
