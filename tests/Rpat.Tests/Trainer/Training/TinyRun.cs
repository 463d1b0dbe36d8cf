using Rpat.Engine.IO;
using Rpat.Engine.Random;

namespace Rpat.Tests.Trainer.Training;

/// <summary>A training run that takes a moment: 24 images of 8x8 pixels, 6 steps an epoch, a net of width 4.</summary>
internal static class TinyRun
{
    public const int StepsPerEpoch = 6;

    private const int Images = 24;

    /// <summary>The command line, on a data set in the test's folder.</summary>
    public static string[] Arguments(TestHost test) =>
    [
        "train", "--recipe", "fashion-quick", "--dataset", "npz:" + DataSet(test), "--set", "model.width=4", "--set", "attack.steps=1", "-b", "4",
        "--set", "eval.attacks=clean,pgd2", "--set", "optimizer.lr=0.01", "--set", "log.progress=none",
    ];

    private static string DataSet(TestHost test)
    {
        string path = test.PathOf("tiny.npz");
        if (File.Exists(path)) return path;
        Npz.Write(path, [Pixels("images", 0), Labels("labels"), Pixels("test_images", 1), Labels("test_labels")]);
        return path;
    }

    private static NamedArray Pixels(string name, int sample)
    {
        var values = new float[Images * 64];
        new RandomKey(3, Purpose.Synthetic, 0, sample, 0, 0).Stream().FillUniform(values);
        return new NamedArray(name, ElementType.U8, [Images, 1, 8, 8], Array.ConvertAll(values, value => (byte)(value * 256)));
    }

    private static NamedArray Labels(string name) =>
        NamedArray.FromInt64(name, [.. Enumerable.Range(0, Images).Select(i => (long)i % 3)], Images);
}
