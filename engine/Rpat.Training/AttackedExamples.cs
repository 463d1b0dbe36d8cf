namespace Rpat.Training;

/// <summary>What the attack does to a few held-out images, for people to look at.</summary>
internal static class AttackedExamples
{
    /// <summary>The picture's name in the run folder.</summary>
    public const string FileName = "images/adversarial.png";

    private const int Most = 10, Steps = 20;

    /// <summary>Attacks the first image of each class, ten at most, whether or not it is classified correctly.</summary>
    /// <returns>Clean image, adversarial image and difference, one below the other.</returns>
    public static Raster Make(Run run)
    {
        LabeledImages images = run.Data.Test.Subset(
            [.. run.Data.Test.Labels.Index().DistinctBy(pair => pair.Item).Take(Most).Select(pair => pair.Index)]);
        PgdOptions options = run.Attack(Steps);
        var (clean, adversarial) = Perturb(run.Reported, images, options, run.Seed);
        bool[] stillRight = Right(run.Reported, adversarial, images.Labels);
        float reach = Math.Max(Largest(clean, adversarial), 1e-6f);
        return ImageGrid.Attacked(run.Reported.InputShape, clean, adversarial, options.Norm == Norm.Linf ? options.Eps : reach, stillRight);
    }

    private static (float[] Clean, float[] Adversarial) Perturb(Classifier net, LabeledImages images, PgdOptions options, ulong seed)
    {
        int[] all = [.. Enumerable.Range(0, images.Count)];
        var clean = new float[images.Count * images.ImageSize];
        images.CopyFloats(all, clean);
        Tensor x = Tensor.From(net.Device, net.InputShape.WithBatch(images.Count), clean);
        var key = new RandomKey(seed, Purpose.AttackStart, 0, 0, 0, 0);
        return (clean, new Pgd(net, options).Perturb(x, Labels.From(net.Device, images.Labels), key, [.. all.Select(i => (long)i)])
            .ToArray());
    }

    private static bool[] Right(Classifier net, float[] images, int[] labels)
    {
        var tape = new Tape(net.Device);
        Tensor x = Tensor.From(net.Device, net.InputShape.WithBatch(labels.Length), images);
        Tensor logits = tape.Retain(net.Forward(tape, x, BnMode.Eval));
        tape.Forward();
        float[] rows = logits.ToArray();
        return [.. labels.Select((label, i) => rows.AsSpan(i * net.Classes, net.Classes)
            .IndexOf(rows.Skip(i * net.Classes).Take(net.Classes).Max()) == label)];
    }

    private static float Largest(float[] a, float[] b) => a.Zip(b, (x, y) => Math.Abs(x - y)).Max();
}
