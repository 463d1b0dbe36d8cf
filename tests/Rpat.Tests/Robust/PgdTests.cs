using Rpat.Models;
using Rpat.Tests.Models;
using Rpat.Tests.Reference;
using Rpat.Tests.Support;

namespace Rpat.Tests.Robust;

/// <summary>Properties of the attack (attacks.md 4.1 and 4.3).</summary>
public sealed class PgdTests : IDisposable
{
    private static readonly PgdOptions _linf = PgdOptions.Linf with { Steps = 4 };
    private static readonly PgdOptions _l2 = PgdOptions.L2 with { Steps = 4 };

    private readonly Device _device = Device.Cpu(2);
    private readonly PreActResNet _net;

    public PgdTests() => _net = TestNets.Disturbed(_device);

    public void Dispose() => _device.Dispose();

    [Theory]
    [InlineData("linf", 8 / 255f, 1)]
    [InlineData("linf", 1e-6f, 1)]
    [InlineData("linf", 1f, 1)]
    [InlineData("linf", 8 / 255f, 3)]
    [InlineData("l2", 128 / 255f, 1)]
    [InlineData("l2", 1e-6f, 1)]
    [InlineData("l2", 20f, 1)]
    [InlineData("l2", 0.25f, 3)]
    public void Every_image_stays_in_the_ball_and_in_the_box(string norm, float eps, int restarts)
    {
        PgdOptions options = new() { Norm = Norm.Parse(norm), Eps = eps, StepSize = eps / 2, Steps = 3, Restarts = restarts };
        float[] x = TestNets.Images(5, seed: 1), found = Attack(options, x, TestNets.Indices(5));
        int size = TestNets.Image.SampleCount;
        Assert.All(found, v => Assert.InRange(v, 0f, 1f));
        for (int i = 0; i < 5; i++)
            Assert.InRange(options.Norm.Distance(x.AsSpan(i * size, size), found.AsSpan(i * size, size)), eps / 10, eps + 4e-7);
    }

    [Fact]
    public void Ones_own_restarts_begin_elsewhere()
    {
        Pgd pgd = new(_net, _linf with { Steps = 1, StepSize = 1e-4f });
        Tensor x = Tensor.From(_device, TestNets.Image.WithBatch(2), TestNets.Images(2, seed: 1));
        Labels labels = Labels.From(_device, TestNets.ClassesOf(2));
        float[] Of(int restart) => pgd.Perturb(x, labels, TestNets.Key with { Restart = restart }, TestNets.Indices(2)).ToArray();
        Assert.Equal(Of(0), Of(0));
        Assert.NotEqual(Of(0), Of(1));
    }

    [Theory]
    [InlineData("linf")]
    [InlineData("l2")]
    public void Each_image_is_attacked_as_if_it_were_alone(string norm)
    {
        PgdOptions options = (norm == "linf" ? _linf : _l2) with { Restarts = 2 };
        float[] x = TestNets.Images(5, seed: 2), together = Attack(options, x, TestNets.Indices(5));
        int size = TestNets.Image.SampleCount;
        for (int i = 0; i < 5; i++)
        {
            float[] alone = Attack(options, x[(i * size)..((i + 1) * size)], [100 + i], [TestNets.ClassesOf(5)[i]]);
            Bits.Equal(together.AsSpan(i * size, size), alone);
        }
    }

    [Theory]
    [InlineData("linf")]
    [InlineData("l2")]
    public void More_restarts_never_lower_the_kept_loss(string norm)
    {
        PgdOptions options = norm == "linf" ? _linf : _l2;
        float[] x = TestNets.Images(5, seed: 3);
        int[] restarts = [1, 2, 3, 6];
        float[][] losses = Array.ConvertAll(restarts, r => LossesOf(Attack(options with { Restarts = r }, x, TestNets.Indices(5))));
        for (int i = 1; i < losses.Length; i++)
            Assert.All(losses[i - 1].Zip(losses[i]),
                pair => Assert.True(pair.Second >= pair.First, $"{pair.Second:R} below {pair.First:R}"));
        Assert.NotEqual(losses[0], losses[^1]);
    }

    /// <summary>GAIRAT weighs an image by the attack that it trains on.</summary>
    [Fact]
    public void The_counted_iterates_are_those_of_the_kept_restart()
    {
        var options = _linf with { CountsCorrect = true, Eps = 0.04f, StepSize = 0.012f };
        Tensor x = Tensor.From(_device, TestNets.Image.WithBatch(32), TestNets.Images(32, seed: 8));
        var labels = Labels.From(_device, _net.Predict(TestNets.Images(32, seed: 8)));
        int size = TestNets.Image.SampleCount, first = 0, others = 0;
        using Pgd once = new(_net, options), twice = new(_net, options with { Restarts = 2 });
        for (int epoch = 1; epoch <= 8; epoch++)
        {
            var key = TestNets.Key with { Epoch = epoch };
            float[] one = once.Perturb(x, labels, key, TestNets.Indices(32)).ToArray();
            int[] hits = once.Hits(new PgdSubject(x, labels)).ToArray();
            float[] kept = twice.Perturb(x, labels, key, TestNets.Indices(32)).ToArray();
            int[] counted = twice.Hits(new PgdSubject(x, labels)).ToArray();
            for (int i = 0; i < 32; i++)
                if (!one.AsSpan(i * size, size).SequenceEqual(kept.AsSpan(i * size, size))) others += counted[i] == hits[i] ? 0 : 1;
                else
                {
                    first++;
                    Assert.Equal(hits[i], counted[i]);
                }
        }
        Assert.True(first > 32 && others > 0, $"{first} images kept their first restart, and {others} others have other counts");
    }

    [Fact]
    public void An_attack_raises_the_loss_more_than_its_random_start()
    {
        float[] x = TestNets.Images(5, seed: 4);
        float[] clean = LossesOf(x), start = LossesOf(Attack(_linf with { IsNoise = true }, x, TestNets.Indices(5)));
        float[] attacked = LossesOf(Attack(_linf with { Steps = 10 }, x, TestNets.Indices(5)));
        Assert.All(attacked.Zip(clean), pair => Assert.True(pair.First > pair.Second));
        Assert.All(attacked.Zip(start), pair => Assert.True(pair.First > pair.Second));
    }

    [Fact]
    public void An_attack_in_eval_mode_leaves_the_network_alone()
    {
        PreActResNet untouched = TestNets.Disturbed(_device);
        Attack(_linf with { Restarts = 2 }, TestNets.Images(5, seed: 5), TestNets.Indices(5));
        Bits.Equal(untouched, _net);
    }

    [Theory]
    [InlineData(BnMode.TrainFrozen, 0)]
    [InlineData(BnMode.Train, 4)]
    public void In_training_mode_each_step_moves_the_statistics_unless_they_are_frozen(BnMode mode, int moves)
    {
        long[] before = [.. _net.BatchNorms.Select(n => n.BatchesTracked)];
        float[] mean = _net.BatchNorms[0].RunningMean.ToArray();
        Attack(_linf with { Bn = mode }, TestNets.Images(5, seed: 6), TestNets.Indices(5));
        Assert.Equal(before.Select(b => b + moves), _net.BatchNorms.Select(n => n.BatchesTracked));
        Assert.Equal(moves == 0, mean.SequenceEqual(_net.BatchNorms[0].RunningMean.ToArray()));
    }

    [Fact]
    public void Weight_gradients_are_never_computed()
    {
        float[] seven = [.. Enumerable.Repeat(7f, (int)_net.Parameters.Count)], after = new float[seven.Length];
        _device.Upload(seven, _net.Parameters.Gradients);
        Attack(_linf, TestNets.Images(3, seed: 7), TestNets.Indices(3));
        _device.Download(_net.Parameters.Gradients, after);
        Bits.Equal(seven, after);
    }

    [Fact]
    public void A_start_that_is_given_replaces_the_random_one()
    {
        float[] x = TestNets.Images(2, seed: 8);
        Tensor images = Batch(x);
        Pgd pgd = new(_net, _linf);
        var labels = Labels.From(_device, TestNets.ClassesOf(2));
        float[] one = pgd.Perturb(images, labels, TestNets.Key, [1, 2], images).ToArray();
        float[] other = pgd.Perturb(images, labels, TestNets.Key with { Seed = 9 }, [3, 4], images).ToArray();
        Bits.Equal(one, other);
        Bits.Equal(one, Attack(_linf with { RandomStart = false }, x, TestNets.Indices(2)));
    }

    [Fact]
    public void Two_classes_of_a_linear_net_lose_exactly_what_the_box_allows_in_one_step()
    {
        LinearFixture f = new(classes: 2);
        PgdOptions fgsm = new() { Eps = 0.1f, StepSize = 0.1f, Steps = 1, RandomStart = false };
        AssertReached(f, fgsm, i => f.WorstMargin(i, 1 - f.Labels[i], 0.1), 1e-6);
        AssertReached(f, fgsm with { Steps = 10, StepSize = 0.025f, RandomStart = true }, i => f.WorstMargin(i, 1 - f.Labels[i], 0.1),
            1e-6);
    }

    [Fact]
    public void Two_classes_of_a_linear_net_lose_exactly_eps_times_the_slope_in_the_ball()
    {
        LinearFixture f = new(classes: 2, middle: true); // no pixel comes near the border of the box
        PgdOptions options = new() { Norm = Norm.L2, Eps = 0.2f, StepSize = 0.1f, Steps = 30 };
        AssertReached(f, options, i => f.Margin(i, 1 - f.Labels[i]) - 0.2 * f.SlopeLength(i, 1 - f.Labels[i]), 1e-6);
    }

    [Fact]
    public void No_attack_on_ten_classes_goes_below_the_exact_worst_margin_and_Pgd_comes_near()
    {
        double[] exact =
        [
            0.166093, 0.263454, -0.128660, -0.048478, -0.112458, 0.075388, -0.014665, 0.380008,
            -0.290616, -0.218393, 0.320166, 0.120441, -0.070906, -0.275719, 0.421193, 0.074614,
        ];
        LinearFixture f = new(classes: 10);
        for (int i = 0; i < exact.Length; i++)
            Assert.Equal(exact[i], Enumerable.Range(0, 10).Where(k => k != f.Labels[i]).Min(k => f.WorstMargin(i, k, 0.012)), 1e-5);
        double[] margins = f.MarginsAfter(_device, new PgdOptions { Eps = 0.012f, StepSize = 0.003f, Steps = 20, Restarts = 3 });
        Assert.All(margins.Zip(exact), pair => Assert.InRange(pair.First, pair.Second - 1e-5, pair.Second + 0.1));
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(-0.1f)]
    [InlineData(8f)]
    [InlineData(float.NaN)]
    public void A_radius_outside_the_pixels_range_is_refused(float eps)
    {
        var error = Assert.Throws<ArgumentException>(() => new Pgd(_net, _linf with { Eps = eps }));
        Assert.Contains("must lie in (0, 1]", error.Message);
    }

    [Fact]
    public void Settings_that_make_no_attack_are_refused()
    {
        Assert.Contains("step size", Assert.Throws<ArgumentException>(() => new Pgd(_net, _linf with { StepSize = 0 })).Message);
        Assert.Contains("no attack", Assert.Throws<ArgumentException>(() => new Pgd(_net, _linf with { Restarts = 0 })).Message);
        Assert.Contains("no attack", Assert.Throws<ArgumentException>(() => new Pgd(_net, _linf with { Steps = -1 })).Message);
        Assert.Contains("'l3' is unknown", Assert.Throws<ArgumentException>(() => Norm.Parse("l3")).Message);
    }

    [Fact]
    public void Images_labels_indices_and_starts_that_do_not_fit_are_refused()
    {
        Pgd pgd = new(_net, _linf);
        Tensor x = Batch(TestNets.Images(2, seed: 1)), wrong = Tensor.Create(_device, new Shape(2, 3, 12, 11));
        Labels two = Labels.From(_device, [0, 1]), three = Labels.From(_device, [0, 1, 2]);
        pgd.Perturb(x, two, TestNets.Key, [0, 1]);
        Assert.Throws<ShapeException>(() => pgd.Perturb(wrong, two, TestNets.Key, [0, 1]));
        Assert.Throws<ShapeException>(() => pgd.Perturb(x, three, TestNets.Key, [0, 1]));
        Assert.Throws<ShapeException>(() => pgd.Perturb(x, two, TestNets.Key, [0]));
        Assert.Throws<ShapeException>(() => pgd.Perturb(x, two, TestNets.Key, [0, 1], wrong));
        Assert.Throws<ShapeException>(() => pgd.Perturb(x, Labels.From(_device, [0, 5]), TestNets.Key, [0, 1]));
    }

    private void AssertReached(LinearFixture f, PgdOptions options, Func<int, double> exact, double tolerance)
    {
        double[] margins = f.MarginsAfter(_device, options);
        for (int i = 0; i < margins.Length; i++) Assert.Equal(exact(i), margins[i], tolerance * Math.Max(1, Math.Abs(exact(i))));
    }

    private Tensor Batch(float[] images) =>
        Tensor.From(_device, TestNets.Image.WithBatch(images.Length / TestNets.Image.SampleCount), images);

    private float[] Attack(PgdOptions options, float[] images, long[] samples, int[]? labels = null) => new Pgd(_net, options)
        .Perturb(Batch(images), Labels.From(_device, labels ?? TestNets.ClassesOf(samples.Length)), TestNets.Key, samples).ToArray();

    private float[] LossesOf(float[] images)
    {
        Tape tape = new(_device);
        Tensor x = Batch(images);
        LossTerm loss = tape.CrossEntropy(_net.Forward(tape, x, BnMode.Eval), Labels.From(_device, TestNets.ClassesOf(x.Shape.N))).Terms[0];
        tape.Forward();
        return loss.Values.ToArray();
    }
}
