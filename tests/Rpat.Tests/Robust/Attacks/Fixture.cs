namespace Rpat.Tests.Robust.Attacks;

/// <summary>A fixture of attacks.md 4.5: a small net, images, and the classes that it gives them.</summary>
internal sealed class Fixture
{
    public static readonly Shape Image = new(1, 3, 8, 8);

    private const int Count = 16, Pixels = 3 * 8 * 8, Hidden = 24, Classes = 10;

    private LinearOptima? _linear;

    private Fixture(Classifier net, double[] images, int count)
    {
        (Net, Images) = (net, Array.ConvertAll(images, v => (float)v));
        Labels = new int[count];
        float[] z = Logits(Images);
        for (int i = 0; i < count; i++) Labels[i] = Predictions.ArgMax(z.AsSpan(i * net.Classes, net.Classes));
    }

    public Classifier Net { get; }

    public float[] Images { get; }

    public int[] Labels { get; }

    /// <summary>Tanh network of 24 hidden units, perhaps with one more op on the logits.</summary>
    public static Fixture M(Device device, Func<Tape, Tensor, Tensor>? last = null) => Mlp(device, Activation.Tanh, last);

    /// <summary>The same weights with ReLU.</summary>
    public static Fixture R(Device device) => Mlp(device, Activation.Relu);

    /// <summary>A linear net of K classes.</summary>
    public static Fixture L(Device device, int classes = Classes)
    {
        Lcg lcg = new(1);
        double[] x = lcg.Fill(Count * Pixels), w = lcg.Fill(classes * Pixels, u => (u - 0.5) * 0.5),
            b = lcg.Fill(classes, u => (u - 0.5) * 0.1);
        return new Fixture(new DenseNet(device, Image, [new(w, b)]), x, Count);
    }

    /// <summary>Two inputs, six ReLU units, three classes; images of 2×1×1.</summary>
    public static Fixture O(Device device)
    {
        Lcg lcg = new(9);
        double[] w1 = lcg.Fill(12, u => (u - 0.5) * 4), b1 = lcg.Fill(6, u => (u - 0.5) * 2);
        double[] w2 = lcg.Fill(18, u => (u - 0.5) * 2), b2 = lcg.Fill(3, u => (u - 0.5) * 0.2), x = lcg.Fill(24);
        return new Fixture(new DenseNet(device, new Shape(1, 2), [new(w1, b1, Activation.Relu), new(w2, b2)]), x, 12);
    }

    /// <summary>The start of attacks.md 4.5: t = 2u − 1 with seed 77, scaled to the sphere around each image.</summary>
    public Initialisation StartOf(Norm norm, double eps)
    {
        double[] t = new Lcg(77).Fill(Images.Length, u => 2 * u - 1);
        return (subject, _) =>
        {
            double[] own = t[((int)subject.Index * Pixels)..((int)(subject.Index + 1) * Pixels)];
            double length = norm == Norm.Linf ? own.Max(Math.Abs) : Math.Sqrt(own.Sum(v => v * v));
            return [.. own.Select((v, i) => (float)Math.Clamp(subject.Image[i] + eps * v / length, 0, 1))];
        };
    }

    /// <summary>The exact optima of the linear fixture.</summary>
    public LinearOptima Linear() =>
        _linear ??= LinearOptima.Of(Net.Parameters.Parameters[0].ToArray(), Net.Parameters.Parameters[1].ToArray());

    /// <summary>Attacks all images at once.</summary>
    public AttackOutcome[] Attack(Attack attack, Action<Subject>? prepare = null, int batch = 128, ulong seed = 0) =>
        new AttackRunner(Net, new AttackRunnerOptions { Batch = batch, Seed = seed }).Perturb(attack, Images, Labels, prepare: prepare);

    /// <summary>Logits of images of this fixture's size.</summary>
    public float[] Logits(float[] images)
    {
        int count = images.Length / Net.InputShape.SampleCount;
        Tensor x = Tensor.From(Net.Device, Net.InputShape.WithBatch(count), images);
        Tape tape = new(Net.Device);
        Tensor z = tape.Retain(Net.Forward(tape, x, BnMode.Eval));
        tape.Forward();
        return z.ToArray();
    }

    /// <summary>Sum of the cross-entropies of images under the fixture's labels.</summary>
    public double[] Losses(AttackLoss loss, IEnumerable<float[]> images, int[]? targets = null) =>
    [
        .. images.Select((image, i) =>
        {
            float[] z = Logits(image);
            LossInput input = new() { Logits = z, Clean = z, Label = Labels[i], Target = targets?[i] ?? -1 };
            return loss.Evaluate(input, new float[z.Length]);
        }),
    ];

    private static Fixture Mlp(Device device, Activation activation, Func<Tape, Tensor, Tensor>? last = null)
    {
        Lcg lcg = new(2);
        double[] x = lcg.Fill(Count * Pixels), w1 = lcg.Fill(Hidden * Pixels, u => (u - 0.5) * 0.5),
            b1 = lcg.Fill(Hidden, u => (u - 0.5) * 0.1);
        double[] w2 = lcg.Fill(Classes * Hidden, u => (u - 0.5) * 2), b2 = lcg.Fill(Classes, u => (u - 0.5) * 0.1);
        return new Fixture(new DenseNet(device, Image, [new(w1, b1, activation), new(w2, b2)], last), x, Count);
    }
}
