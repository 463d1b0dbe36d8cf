using Rpat.Models;
using Rpat.Tests.Models;

namespace Rpat.Tests.Robust.Perception;

public sealed class PerceptionMeterTests
{
    private static readonly Shape _image = new(1, 2, 3, 3);

    [Fact]
    public void A_linear_net_perceives_in_proportion()
    {
        using var device = Device.Cpu(1);
        var samples = Measure(new FlatNet(device), PerceptionOptions.Pgd(Norm.Linf, 0.1f, 0.03f, steps: 3), Images(24));
        var summary = samples.Summarize(samples.Logits, PerceptionGroup.All[0]);
        Assert.All(summary.Residual, rho => Assert.InRange(rho, 0, 1e-9));
        for (int k = 0; k < PerceptionOptions.Tenths.Count; k++) Assert.Equal(PerceptionOptions.Tenths[k], summary.Distance[k], 4);
        Assert.Equal(summary.Full / 4, summary.First, summary.Full * 1e-5);
        Assert.Equal(summary.Full / 4, summary.Second, summary.Full * 1e-5);
    }

    [Fact]
    public void Groups_are_sums_over_their_own_images()
    {
        using var device = Device.Cpu(1);
        var net = TestNets.Disturbed(device);
        var images = Images(30, TestNets.Image, classes: 5);
        var samples = Measure(net, PerceptionOptions.Noise(Norm.Linf, 0.2f), images);
        var (all, success, failure) = (Of(0), Of(1), Of(2));
        Assert.Equal(30, success.Count + failure.Count);
        Assert.InRange(success.Count, 1, 29);
        Assert.Equal(30 * all.Full, success.Count * success.Full + failure.Count * failure.Full, all.Full * 1e-9);
        Assert.Equal(1 - samples.PerturbedError, success.Count / 30.0, 12);
        Assert.Equal(1 - samples.CleanError, samples.AccuracyAlong[0], 12);
        Assert.Equal(1 - samples.PerturbedError, samples.AccuracyAlong[^1], 12);
        Assert.Equal(samples.CleanRight.Count(right => right), Of(3).Count);

        PerceptionSummary Of(int group) => samples.Summarize(samples.Features, PerceptionGroup.All[group]);
    }

    [Fact]
    public void The_numbers_are_those_of_the_definitions()
    {
        using var device = Device.Cpu(1);
        var net = TestNets.Disturbed(device);
        var images = Images(3, TestNets.Image, classes: 5);
        var options = PerceptionOptions.Pgd(Norm.Linf, 0.1f, 0.05f, steps: 2) with { Alphas = [0, 0.25, 1] };
        var samples = Measure(net, options, images);
        float[] x = new float[images.Count * images.ImageSize];
        images.CopyFloats([0, 1, 2], x);
        Tensor at = Tensor.From(device, net.InputShape.WithBatch(3), x);
        float[] end = new Pgd(net, options.Perturbation).Perturb(at, Labels.From(device, images.Labels),
            new(0, Engine.Random.Purpose.AttackStart, 0, 0, 0, 0), [0, 1, 2]).ToArray();
        var (a, u, b) = (Logits(net, x), Logits(net, Between(x, end, 0.25f)), Logits(net, end));
        for (int i = 0; i < 3; i++)
        {
            double Sum(Func<int, double> of) => Enumerable.Range(5 * i, 5).Sum(of);
            double whole = Sum(k => Math.Pow(b[k] - (double)a[k], 2));
            Assert.Equal(whole / 5, samples.Logits.Full[i], whole * 1e-4);
            Assert.Equal(Sum(k => Math.Pow(u[k] - 0.75 * a[k] - 0.25 * b[k], 2)) / whole, samples.Logits.Residual[1][i], 1e-4);
            Assert.Equal(Math.Sqrt(Sum(k => Math.Pow(u[k] - (double)a[k], 2)) / whole), samples.Logits.Distance[1][i], 1e-4);
        }
    }

    [Fact]
    public void Batches_change_nothing()
    {
        using var device = Device.Cpu(1);
        var net = TestNets.Disturbed(device);
        var images = Images(7, TestNets.Image, classes: 5);
        var options = PerceptionOptions.Pgd(Norm.L2, 0.5f, 0.1f, steps: 2);
        Assert.Equal(Measure(net, options with { Batch = 7 }, images).Logits.Full,
            Measure(net, options with { Batch = 3 }, images).Logits.Full);
    }

    [Fact]
    public void An_image_whose_logits_stay_has_no_curve_and_harms_no_mean()
    {
        using var device = Device.Cpu(1);
        var samples = Measure(new FlatNet(device, zero: true), PerceptionOptions.Noise(Norm.Linf, 0.1f), Images(4));
        Assert.All(samples.Logits.Distance[3], value => Assert.Equal(double.NaN, value));
        Assert.Equal(0, samples.Summarize(samples.Logits, PerceptionGroup.All[0]).Full);
    }

    private static PerceptionSamples Measure(FeatureClassifier net, PerceptionOptions options, LabeledImages images) =>
        new PerceptionMeter(net, options).Run(images);

    private static LabeledImages Images(int count, Shape? shape = null, int classes = 4)
    {
        Shape s = shape ?? _image;
        var pixels = new byte[count * s.SampleCount];
        new Random(5).NextBytes(pixels);
        return new LabeledImages("random", s.C, s.H, s.W, pixels, [.. Enumerable.Range(0, count).Select(i => i % classes)],
            [.. Enumerable.Range(0, classes).Select(k => $"{k}")]);
    }

    private static float[] Between(float[] x, float[] end, float alpha) => [.. x.Zip(end, (a, b) => a + alpha * (b - a))];

    private static float[] Logits(Classifier net, float[] images)
    {
        Tape tape = new(net.Device);
        Tensor z = tape.Retain(net.Forward(tape, Tensor.From(net.Device, net.InputShape.WithBatch(3), images), BnMode.Eval));
        tape.Forward();
        return z.ToArray();
    }

    /// <summary>A linear layer on the image's mean over pixels: everything is linear.</summary>
    private sealed class FlatNet : FeatureClassifier
    {
        public FlatNet(Device device, bool zero = false) : base(device, _image, 4, null)
        {
            var conv = DeclareConv("conv", 16, 2, 1);
            DeclareHead("linear", 16);
            Build(seed: 3);
            if (zero) foreach (var p in Parameters.Parameters.Where(p => p.Name == "linear.weight")) p.Upload(new float[p.Shape.Count]);
            Parameters.BumpVersion();
            _conv = conv;
        }

        private readonly Parameter _conv;

        protected override Tensor RecordFeatures(Tape tape, Tensor x, BnMode bn) => tape.GlobalAveragePool(tape.Conv2d(x, _conv, 1, 0));
    }
}
