namespace Rpat.Training;

/// <summary>What the attack does to a few held-out images, for people to look at.</summary>
internal static class AttackedExamples
{
    /// <summary>The picture's name in the run folder.</summary>
    public const string FileName = "images/adversarial.png";

    private const int Most = 10, Steps = 20;

    /// <summary>Attacks the first image of each class, ten at most, whether or not it is classified correctly.</summary>
    /// <returns>
    /// Clean image, adversarial image and difference, one below the other; the title is a JSON list of each column's true class and the one
    /// predicted for its adversarial image.
    /// </returns>
    public static Raster Make(Run run)
    {
        LabeledImages images = run.Data.Test.Subset(
            [.. run.Data.Test.Labels.Index().DistinctBy(pair => pair.Item).Take(Most).Select(pair => pair.Index)]);
        PgdOptions options = run.Attack(Steps);
        var (clean, adversarial) = Perturb(run.Reported, images, options, run.Seed);
        using Predictor predictor = new(run.Reported, images.Count);
        int[] predicted = predictor.Classes(adversarial);
        float reach = Math.Max(Largest(clean, adversarial), 1e-6f);
        string[][] classes = [.. images.Labels.Zip(predicted, (label, other) => new[] { NameOf(images, label), NameOf(images, other) })];
        return ImageGrid.Attacked(run.Reported.InputShape, clean, adversarial, options.Norm == Norm.Linf ? options.Eps : reach,
            [.. images.Labels.Zip(predicted, (label, other) => label == other)], JsonSerializer.Serialize(classes));
    }

    private static (float[] Clean, float[] Adversarial) Perturb(Classifier net, LabeledImages images, PgdOptions options, ulong seed)
    {
        int[] all = [.. Enumerable.Range(0, images.Count)];
        var clean = new float[images.Count * images.ImageSize];
        images.CopyFloats(all, clean);
        Tensor x = Tensor.From(net.Device, net.InputShape.WithBatch(images.Count), clean);
        var key = new RandomKey(seed, Purpose.AttackStart, 0, 0, 0, 0);
        using Pgd pgd = new(net, options);
        return (clean, pgd.Perturb(x, Labels.From(net.Device, images.Labels), key, [.. all.Select(i => (long)i)]).ToArray());
    }

    private static string NameOf(LabeledImages images, int label) =>
        label < 0 ? "NaN" : label < images.ClassNames.Count ? images.ClassNames[label] : label.ToString(CultureInfo.InvariantCulture);

    private static float Largest(float[] a, float[] b) => a.Zip(b, (x, y) => Math.Abs(x - y)).Max();
}
