using Rpat.Robust.Modifiers;

namespace Rpat.Tests.Robust.Attacks;

/// <summary>The single attacks on the tanh net, without random start, against the numbers of attacks.md 4.6.</summary>
public sealed class SimpleAttackTests : IDisposable
{
    private readonly Device _device = Device.Cpu(1);
    private readonly Fixture _m;

    public SimpleAttackTests() => _m = Fixture.M(_device);

    public void Dispose() => _device.Dispose();

    public static TheoryData<string, int, double> Golden => new()
    {
        { "fgsm", 10, 13.49392 },
        { "pgd", 9, 13.57372 },
        { "mi-fgsm", 10, 13.55965 },
        { "pgd-l2", 9, 14.42239 },
    };

    [Theory]
    [MemberData(nameof(Golden))]
    public void Accuracy_and_loss_are_the_references(string name, int correct, double loss)
    {
        Attack attack = name switch
        {
            "fgsm" => new Fgsm { Eps = 0.02 },
            "pgd" => PgdAttack.Bim with { Eps = 0.02, StepSize = 0.005 },
            "mi-fgsm" => new MiFgsm { Eps = 0.02, StepSize = 0.005 },
            _ => PgdAttack.Bim with { Norm = Norm.L2, Eps = 0.25, StepSize = 0.05 },
        };
        var outcomes = _m.Attack(attack);
        Assert.Equal(correct, outcomes.Count(o => !o.Fooled));
        Assert.Equal(loss, _m.Losses(AttackLoss.CrossEntropy, outcomes.Select(o => o.Image)).Sum(), 3e-5);
    }

    /// <summary>Equal labels are equal attacks: what changes a result is in them.</summary>
    [Fact]
    public void Restarts_and_ones_own_start_are_in_an_attacks_label()
    {
        string Of(Attack attack) => AttackSuite.Of("x", attack).Label;
        Initialisation own = (_, _) => null;
        Assert.Equal("fgsm", Of(new Fgsm()));
        Assert.Equal("fgsm (loss=ce restarts=3)", Of(new Fgsm { Restarts = 3 }));
        Assert.Equal("fgsm (loss=ce start=own)", Of(new Fgsm { Start = own }));
        Assert.EndsWith(" start=own)", Of(new PgdAttack { Steps = 20, Start = own }), StringComparison.Ordinal);
        Assert.EndsWith(" draws=own)", Of(new Square { Draws = (_, _, _) => () => 0.5 }), StringComparison.Ordinal);
        Assert.EndsWith(" shrink=0.99)", Of(new CarliniWagner { Shrink = 0.99 }), StringComparison.Ordinal);
        foreach (Attack none in (Attack[])[new DeepFool { Start = own, Norm = Norm.L2 }, new CarliniWagner { Start = own }])
            Assert.Contains("begins at the image itself: give it no Start", Assert.Throws<ArgumentException>(() => AttackSuite.Checked(
                AttackSuite.Of("x", none), Fixture.Image, 10)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Numbers_that_make_no_attack_are_refused()
    {
        foreach (Action make in (Action[])
        [
            () => _ = new Apgd { Rho = 75 }, () => _ = new Apgd { Rho = double.NaN }, () => _ = new CarliniWagner { Rate = 0 },
            () => _ = new CarliniWagner { FirstWeight = 0 }, () => _ = new CarliniWagner { Confidence = -1 },
            () => _ = new CarliniWagner { Shrink = 1.1 }, () => _ = new RandomFgsm { Share = 2 }, () => _ = new MiFgsm { Decay = double.NaN },
            () => _ = new Square { FirstShare = 80 }, () => _ = new Square { FirstShare = 0 }, () => _ = new Fab { AlphaMax = 2 },
            () => _ = new Fab { Eta = 0 }, () => _ = new Fab { Beta = -0.1 }, () => _ = new DeepFool { Overshoot = -1 },
            () => _ = new Quantization(1), () => _ = new LabelSmoothing(10), () => _ = new GradientMask(30, 0.5f),
            () => _ = new EmaAveraging(Probability: 2), () => _ = new EmaAveraging { Fall = float.NaN },
        ])
            Assert.Matches("(is .*: give a number (from|above) 0|give 2 or more)", Assert.ThrowsAny<ArgumentException>(make).Message);
        Assert.Equal("Rho is 75: give a number from 0 to 1.", Assert.Throws<ArgumentException>(() => new Apgd { Rho = 75 }).Message);
    }

    /// <summary>A start from which every step would be cut back, or that is none, must not make an image robust.</summary>
    [Fact]
    public void Ones_own_start_is_moved_into_the_ball_and_stays_as_it_was()
    {
        float[] far = [.. Enumerable.Repeat(1f, Fixture.Image.SampleCount)];
        foreach (Norm norm in new[] { Norm.Linf, Norm.L2, Norm.L1 })
            foreach (Attack attack in (Attack[])[new Apgd(), new PgdAttack { Keep = Keep.AnyMisclassified }, new Square { Steps = 3 }, new Fgsm()])
            {
                double eps = norm == Norm.Linf ? 0.05 : norm == Norm.L2 ? 0.5 : 5;
                if (attack is Fgsm && norm == Norm.L1) continue;
                var outcomes = _m.Attack(attack with { Norm = norm, Eps = eps, Start = (_, _) => far });
                Assert.DoesNotContain(outcomes, o => o.IsInfeasible);
                Assert.All(far, value => Assert.Equal(1, value));
            }
        Assert.Contains("Start gives 3 values where an image has", Assert.ThrowsAny<ArgumentException>(
            () => _m.Attack(new Fgsm { Eps = 0.1, Start = (_, _) => new float[3] })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_point_of_largest_loss_fools_only_if_it_is_misclassified()
    {
        foreach (Norm norm in new[] { Norm.Linf, Norm.L1 })
        {
            var outcomes = _m.Attack(new Apgd { Norm = norm, Eps = norm == Norm.L1 ? 1.5 : 0.03, BestLoss = true, Steps = 25 });
            int[] predicted = _m.Net.Predict([.. outcomes.SelectMany(o => o.Image)]);
            Assert.Equal(outcomes.Select((o, i) => predicted[i] != _m.Labels[i]), outcomes.Select(o => o.Fooled));
        }
    }

    [Fact]
    public void Cw_linf_reaches_these_margins()
    {
        double[] margins =
        [
            -0.04223, 2.41601, 1.77019, 0.19553, 0.38041, 0.38674, -0.25084, -0.73253,
            -1.06863, -0.22957, 1.99842, 0.06440, 0.99497, -0.64644, 2.63823, -0.17082,
        ];
        var outcomes = _m.Attack(PgdAttack.CwLinf with { Eps = 0.02, StepSize = 0.005, RandomStart = false, Keep = Keep.Last });
        double[] found = _m.Losses(AttackLoss.Margin, outcomes.Select(o => o.Image));
        for (int i = 0; i < margins.Length; i++) Assert.Equal(margins[i], -found[i], 2e-5);
        Assert.Equal(9, outcomes.Count(o => !o.Fooled));
    }

    [Theory]
    [InlineData(1, 50, new[] { 0.2306, 0.7895, 0.5972, 0.2875, 0.3367, 0.3282, 0.1774, 0.0674, 0.0237, 0.1985, 0.7548, 0.2635, 0.4820,
    0.0784, 0.8039, 0.2093 })]
    [InlineData(10, 31, new[] { 0.3042, 0.9406, 0.7370, 0.3396, 0.4374, 0.3914, 0.2469, 0.1006, 0.0511, 0.2878, 0.9685, 0.3400, 0.6002,
    0.1018, 0.9963, 0.2923 })]
    public void Cw_l2_with_a_fixed_weight_finds_these_norms(double weight, int iterations, double[] norms)
    {
        // torchattacks' variant searches no weight; with weight 10 its check on the whole batch ends it after iteration 30.
        var outcomes = _m.Attack(new CarliniWagner
        { Searches = 1, FirstWeight = weight, Iterations = iterations, AbortEarly = false, Shrink = 1, Eps = 10 });
        for (int i = 0; i < norms.Length; i++)
            Assert.Equal(norms[i], Norm.L2.Distance(outcomes[i].Image, Exact.ImageOf(_m, i)), 1.1e-4);
    }

    [Fact]
    public void Cw_l2_with_its_search_beats_every_fixed_weight_and_comes_near_fab_t()
    {
        var outcomes = _m.Attack(new CarliniWagner { Iterations = 200, AbortEarly = false, Eps = 10 });
        double[] fab = [0.218598, 0.737280, 0.558871, 0.263673, 0.306945, 0.294988, 0.169121, 0.043529];
        for (int i = 0; i < fab.Length; i++)
        {
            double ratio = Norm.L2.Distance(outcomes[i].Image, Exact.ImageOf(_m, i)) / fab[i];
            // steps of 0.01 are coarse beside a small norm
            Assert.True(ratio > 0.98 && ratio < (fab[i] > 0.1 ? 1.05 : 1.5), $"image {i}: {ratio} of FAB's norm");
        }
        Assert.All(outcomes, o => Assert.True(o.Fooled));
    }

    [Fact]
    public void Cw_l2_keeps_a_confidence()
    {
        var outcomes = _m.Attack(new CarliniWagner { Iterations = 100, Confidence = 0.5, Eps = 10 });
        Assert.All(_m.Losses(AttackLoss.Margin, outcomes.Select(o => o.Image)), lead => Assert.True(lead > 0.5));
    }

    [Theory]
    [InlineData("l2", new[] { 0.22379, 0.62366, 0.57330, 0.26468, 0.30636, 0.30377, 0.17093, 0.04439, 0.00024, 0.18355, 0.73065, 0.24190,
    0.44514, 0.07234, 0.73565, 0.18973 })]
    [InlineData("linf", new[] { 0.01997, 0.05547, 0.05272, 0.02383, 0.02773, 0.02770, 0.01523, 0.00395, 0.00011, 0.01625, 0.06643, 0.02177,
    0.03988, 0.00645, 0.06823, 0.01732 })]
    public void DeepFool_finds_these_norms(string name, double[] norms)
    {
        Norm norm = Norm.Parse(name);
        var outcomes = _m.Attack(new DeepFool { Norm = norm, Eps = 10 });
        for (int i = 0; i < norms.Length; i++)
            Assert.Equal(norms[i], norm.Distance(outcomes[i].Image, Exact.ImageOf(_m, i)), 1.2e-5);
    }

    [Fact]
    public void DeepFool_on_a_linear_net_takes_one_step_of_known_length()
    {
        // Pixels far from the border: the nearest boundary is reached at once, overshoot and stabiliser included.
        Lcg lcg = new(3);
        DenseNet net = new(_device, new Shape(1, 20), [new(lcg.Fill(60, u => u - 0.5), [0.1, 0, -0.1])]);
        float[] x = Array.ConvertAll(lcg.Fill(20, u => 0.45 + 0.1 * u), v => (float)v);
        LinearOptima exact = LinearOptima.Of(net.Parameters.Parameters[0].ToArray(), net.Parameters.Parameters[1].ToArray());
        int label = Predictions.ArgMax(exact.Logits(x));
        var o = new AttackRunner(net).Perturb(new DeepFool { Norm = Norm.L2, Eps = 10 }, x, [label])[0];
        Assert.Equal(1, o.Iteration);
        Assert.Equal(1.02 * (exact.MinimumNorm(x, label, Norm.L2) + 1e-4), Norm.L2.Distance(o.Image, x), 1e-6);
    }

    [Theory]
    [InlineData("linf")]
    [InlineData("l2")]
    public void Minimum_norm_attacks_never_go_below_the_exact_minimum(string name)
    {
        Fixture l = Fixture.L(_device);
        Norm norm = Norm.Parse(name);
        double[] exact = Exact.MinimumNorms(l, norm);
        var deepFool = l.Attack(new DeepFool { Norm = norm, Eps = 10 });
        var cw = norm == Norm.L2 ? l.Attack(new CarliniWagner { Iterations = 100, Eps = 10 }) : [];
        for (int i = 0; i < exact.Length; i++)
            Assert.InRange(norm.Distance(deepFool[i].Image, Exact.ImageOf(l, i)), exact[i] * (1 - 1e-5), 1.025 * (exact[i] + 1e-4));
        foreach (var o in cw) Assert.True(norm.Distance(o.Image, Exact.ImageOf(l, (int)o.Index)) >= exact[o.Index] * (1 - 1e-5));
    }

    [Fact]
    public void One_full_step_reaches_the_optimum_of_two_linear_classes()
    {
        Fixture l = Fixture.L(_device, classes: 2);
        double[] exact = Exact.WorstMargins(l, Norm.Linf, 0.1);
        foreach (Attack attack in new Attack[] { new Fgsm { Eps = 0.1 }, PgdAttack.Bim with { Eps = 0.1, StepSize = 0.1, Steps = 1 } })
        {
            double[] found = l.Losses(AttackLoss.Margin, l.Attack(attack).Select(o => o.Image));
            for (int i = 0; i < exact.Length; i++) Assert.Equal(exact[i], -found[i], 1e-5);
        }
    }
}
