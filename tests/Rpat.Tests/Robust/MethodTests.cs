using Rpat.Models;
using Rpat.Robust.Losses;
using Rpat.Robust.Methods;
using Rpat.Robust.Modifiers;

namespace Rpat.Tests.Robust;

/// <summary>Every method trains, and the identities of methods.md 7.3 hold between them.</summary>
public class MethodTests
{
    private static readonly PgdOptions _pgd = PgdOptions.Linf with { Steps = 2 };
    private static readonly PgdOptions _fixed = _pgd with { Start = PgdStart.Ball, Bn = BnMode.Eval };

    /// <summary>Every method, active from the first epoch.</summary>
    public static IReadOnlyList<Objective> All { get; } =
    [
        new Clean(), new Noise(_pgd), new PgdAt(_pgd), new Trades(_pgd), new Mart(_pgd), new Consistency(_pgd), Named("wa"),
        new ReBat(_pgd) { Start = 1 }, new RpatPlusPlus(_pgd)
            { Start = 1 }, Named("awp"), Named("trades-awp"),
        new Gairat(_pgd) { Start = 1 }, new KdSwa(_pgd), new Ewat(_pgd), Named("mail-at", ("start", "1")),
        Named("mail-trades", ("start", "1")), Named("mail-mart", ("start", "1")), new Te(_pgd) { Start = 1, Ramp = 2 },
        new Te(_pgd) { Start = 1, Ramp = 2, Base = StandsOn.Trades }, new Sovr(_pgd), new Adr(_pgd),
        // From next to x, the signs of the divergence's gradient would hang on rounding.
        new Adr(_fixed with { Bn = BnMode.Train }) { Base = StandsOn.Trades, Gamma = 0.005f },
        new Cure(_pgd), new Cure(_pgd) { CodeForm = true }, new Mma(_pgd with { Steps = 3 })
            { Rounds = 4 }, new PgdAt(_pgd).With(new RobustPerception()),
        new Trades(_pgd).With(new RobustPerception()), new Mart(_pgd).With(new RobustPerception()),
        new Consistency(_pgd).With(new RobustPerception { Form = PerceptionForm.DifferenceQuotient }),
        new Trades(_pgd).With(new Awp(), new EmaAveraging(0.99f), new RobustPerception()),
        new Gkl(_fixed) { Rise = 2, PerturbFrom = 1 }, new Gkl(_fixed).With(new RobustPerception()), new AdaAd(_pgd) { Share = 0.5f },
        new Raat(_pgd), new Raat(_pgd).With(new RobustPerception()), Named("igdm"), new Mart(_pgd).With(new Sam()),
        new Trades(_pgd).With(new LabelSmoothing(0.1f), new EmaAveraging(0.99f, WarmUp: AverageWarmUp.Updates)),
    ];

    public static TheoryData<int> Indices => [.. Enumerable.Range(0, All.Count)];

    [Theory]
    [MemberData(nameof(Indices))]
    public void A_method_trains_alike_with_any_number_of_threads(int method)
    {
        var (one, losses) = Train(All[method], threads: 1);
        var (two, again) = Train(All[method], threads: 2);
        Assert.All(losses, loss => Assert.True(double.IsFinite(loss)));
        Assert.Equal(losses, again);
        TestNets.SameBits(one, two);
        Assert.All(one.Where(a => a.Type == ElementType.F32).SelectMany(a => a.ToFloats()), v => Assert.True(float.IsFinite(v)));
    }

    [Theory]
    [MemberData(nameof(Indices))]
    public void A_method_goes_on_bit_by_bit_after_a_stop(int method)
    {
        using var device = Device.Cpu(1);
        var whole = Make(device, All[method]);
        for (int i = 0; i < 3; i++) Run(whole, i);
        var first = Make(device, All[method]);
        Run(first, 0);
        var second = Make(device, All[method]);
        second.Net.Load(first.Net.State());
        second.Step.LoadState(first.Step.State().ToDictionary(a => a.Name));
        for (int i = 1; i < 3; i++) Run(second, i);
        TestNets.SameBits([.. whole.Net.State()], [.. second.Net.State()]);
        TestNets.SameBits([.. whole.Step.State()], [.. second.Step.State()]);
    }

    [Fact]
    public void Rpat_plus_plus_at_x_prime_is_ReBAT() =>
        Same(new ReBat(_pgd) { Start = 1 }, new RpatPlusPlus(_pgd) { Alpha = 1, Start = 1 });

    [Fact]
    public void ReBAT_without_its_term_is_WA() =>
        Same(Named("wa", ("start", "1")), new ReBat(_pgd) { Beta = 0, Start = 1 });

    [Fact]
    public void ReBAT_is_WA_before_its_start() => Same(Named("wa"), new ReBat(_pgd));

    [Fact]
    public void An_average_of_decay_zero_is_a_copy()
    {
        using var device = Device.Cpu(1);
        var run = Make(device, new PgdAt(_pgd).With(new EmaAveraging(0)));
        Run(run, 0);
        TestNets.SameBits([.. run.Net.State()], [.. run.Step.Reported.State()]);
        Assert.NotSame(run.Net, run.Step.Reported);
    }

    [Fact]
    public void An_average_does_not_change_what_is_trained() =>
        Same(new PgdAt(_pgd), new PgdAt(_pgd).With(new EmaAveraging(0.9f)));

    [Fact]
    public void AWP_without_a_move_is_AT() => Same(new PgdAt(_pgd), new PgdAt(_pgd).With(new Awp { Gamma = 0 }));

    [Fact]
    public void AWP_acts_from_its_start_on()
    {
        Same(new PgdAt(_pgd), new PgdAt(_pgd).With(new Awp { Start = 2 }));
        Assert.True(TestNets.Differ(Train(new PgdAt(_pgd)).State, Train(new PgdAt(_pgd).With(new Awp())).State));
    }

    [Fact]
    public void GAIRAT_of_the_largest_lambda_is_AT() => Same(new PgdAt(_pgd), new Gairat(_pgd) { Lambda = 100, Start = 1 });

    [Fact]
    public void GAIRAT_is_AT_before_its_start() => Same(new PgdAt(_pgd), new Gairat(_pgd));

    [Fact]
    public void SOVR_that_switches_nobody_is_AT() => Near(new PgdAt(_pgd), new Sovr(_pgd) { Share = 0 });

    [Fact]
    public void TE_is_AT_before_its_start() => Same(new PgdAt(_fixed), new Te(_fixed));

    [Fact]
    public void RAAT_of_whole_reach_and_no_second_term_is_AT_on_two_views() =>
        Near(new Consistency(_pgd) { Weight = 0 }, new Raat(_pgd) { Reach = 1, Weight = 0 });

    [Fact]
    public void Adr_without_trust_is_AT() => Near(new PgdAt(_fixed), new Adr(_fixed) { ShareStart = 0, ShareEnd = 0 });

    [Fact]
    public void KD_with_its_own_share_only_is_AT() => Same(new PgdAt(_fixed), new KdSwa(_fixed) { Own = 1, Clean = 0, Robust = 0 });

    [Fact]
    public void CURE_without_mask_and_revision_is_TRADES() =>
        Same(new Trades(_pgd) { Beta = 3, Repeat = false }, new Cure(_pgd) { Beta = 3, Gamma = 0, MaskShare = 0 });

    [Fact]
    public void TRADES_repeats_the_clean_forward_for_the_statistics_only()
    {
        var (twice, _) = Train(new Trades(_pgd), steps: 1);
        var (once, _) = Train(new Trades(_pgd) { Repeat = false }, steps: 1);
        foreach (var (a, b) in twice.Zip(once).Where(p => p.First.Name.EndsWith("weight", StringComparison.Ordinal)))
            Ops.LossProbe.AssertNear(Array.ConvertAll(a.ToFloats(), v => (double)v), b.ToFloats(), 1e-5);
        Assert.Equal(3, twice.First(a => a.Name.EndsWith("tracked", StringComparison.Ordinal)).ToInt64()[0]);
        Assert.Equal(2, once.First(a => a.Name.EndsWith("tracked", StringComparison.Ordinal)).ToInt64()[0]);
    }

    [Fact]
    public void EWAT_with_equal_entropies_is_twice_AT()
    {
        using var device = Device.Cpu(1);
        LinearNet net = new(device, new double[30], new double[3]);
        TrainingStep step = new(net, new Ewat(_pgd), new Sgd(net.Parameters), seed: 1);
        step.Run([.. Enumerable.Repeat(0.5f, 20)], [0, 1], TestNets.Indices(2), epoch: 1, rate: 0);
        Assert.Equal(2 * Math.Log(3), step.Loss.Read(), 1e-6);
    }

    [Fact]
    public void MMA_attacks_what_is_right_and_leaves_what_is_wrong()
    {
        using var device = Device.Cpu(1);
        // z = (w·x, 0): the margin of x for class 0 is w·x/‖w‖₁ in the maximum norm.
        LinearNet net = new(device, [1, -1, 2, 0, 0, 0], [0, 0]);
        TrainingStep step = new(net, new Mma(_pgd with { Steps = 3 }) { Threshold = 0.4f, Rounds = 20 }, new Sgd(net.Parameters), seed: 1);
        step.Run([0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f], [0, 1], TestNets.Indices(2), epoch: 1, rate: 0);
        float[] margins = step.State().Single(a => a.Name == "table.margins").ToFloats();
        Assert.Equal(0.25, margins[100], 1e-3); // w·x = 1, ‖w‖₁ = 4
        Assert.Equal(0, margins[101]);
    }

    [Fact]
    public void Mixed_labels_with_whole_shares_are_the_labels()
    {
        var (plain, losses) = Train(new PgdAt(_pgd), steps: 1);
        using var device = Device.Cpu(2);
        var run = Make(device, new PgdAt(_pgd));
        int[] labels = TestNets.ClassesOf(4);
        run.Step.Run(new TrainingBatch
        {
            Images = TestNets.Images(4, seed: 10),
            Labels = labels,
            Samples = TestNets.Indices(4, 0),
            OtherLabels = [0, 0, 0, 0],
            MixWeights = [1, 1, 1, 1],
        }, new StepContext(1, Rate: 0.1f));
        Assert.Equal(losses[0], run.Step.Loss.Read(), 1e-6);
        NearState(plain, [.. run.Net.State()]);
    }

    [Fact]
    public void A_schedule_moves_a_terms_weight_and_records_nothing_anew()
    {
        using var device = Device.Cpu(1);
        var run = Make(device, new ReBat(_pgd) { Schedule = BetaSchedule.Dependent, Beta = 2, Start = 1 });
        foreach (float rate in new[] { 0.1f, 0.05f })
        {
            run.Step.Run(new TrainingBatch
            {
                Images = TestNets.Images(4, seed: 1),
                Labels = TestNets.ClassesOf(4),
                Samples = TestNets.Indices(4)
            },
                new StepContext(1, Rate: rate, TopRate: 0.1f));
            Assert.Equal((0.1f / rate - 1) / 2, run.Step.Loss.Terms[1].Weight, 1e-6f);
        }
    }

    [Fact]
    public void The_ramp_is_the_published_one()
    {
        Assert.Equal([0f, 300f], new[] { 89, 90 }.Select(epoch => new RampCoefficient(300, 90, 0).At(new StepContext(epoch))));
        RampCoefficient ramp = new(300, 90, 60);
        foreach (var (epoch, expected) in new[] { (89, 0.0), (90, 2.0), (110, 32.5), (130, 172), (150, 300), (199, 300) })
            Assert.Equal(expected, ramp.At(new StepContext(epoch)), 0.5);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.3)]
    [InlineData(0.5)]
    [InlineData(1)]
    public void Percentiles_interpolate_linearly(double share)
    {
        float[] values = [.. Enumerable.Range(0, 101).Select(i => (float)(i * 37 % 101))];
        Assert.Equal(100 * share, GradientMask.Percentile(values, share), 1e-5);
        Assert.Equal(1 + 2 * share, GradientMask.Percentile(new float[] { 3, 1, 2 }, share), 1e-5);
    }

    [Fact]
    public void A_mask_keeps_the_prominent_gradients_of_each_tensor()
    {
        using var device = Device.Cpu(1);
        var run = Make(device, new Cure(_pgd) { MaskShare = 0.5f });
        Run(run, 0);
        foreach (var p in run.Net.Parameters.Parameters.Where(p => p.Shape.Count > 8))
            Assert.InRange(p.GradToArray().Count(g => g == 0), (int)(0.45 * p.Shape.Count), (int)(0.6 * p.Shape.Count));
    }

    // Linear layers are found by their weights' two dimensions: VGG16's head is called layer8.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_codes_mask_leaves_linear_layers_alone_whatever_their_name(bool codeForm)
    {
        using var device = Device.Cpu(1);
        LinearNet net = new(device, [.. Enumerable.Range(0, 30).Select(i => (i - 15) / 20.0)], new double[3], "layer8");
        AuxiliaryModels companions = new() { Twin = () => new LinearNet(device, new double[30], new double[3], "layer8") };
        Cure cure = new(_pgd) { CodeForm = codeForm, MaskShare = 0.5f, Gamma = 0 };
        TrainingStep step = new(net, cure, new Sgd(net.Parameters), seed: 1, companions);
        step.Run([.. Enumerable.Range(0, 20).Select(i => 0.2f + 0.03f * i)], [0, 1], TestNets.Indices(2), epoch: 1, rate: 0);
        int masked = net.Parameters.Parameters[0].GradToArray().Count(g => g == 0);
        Assert.InRange(masked, codeForm ? 0 : 14, codeForm ? 0 : 16);
    }

    [Fact]
    public void An_attack_that_has_risen_is_the_whole_one()
    {
        Same(new PgdAt(_pgd), new PgdAt(_pgd with { Rise = 1 }));
        Assert.Equal(0.25f, (_pgd with { Rise = 8 }).ShareAt(new StepContext(2)));
        Same(new PgdAt(_fixed with { Eps = _pgd.Eps / 2, StepSize = _pgd.StepSize / 2 }), new PgdAt(_fixed with { Rise = 2 }));
    }

    [Fact]
    public void A_targets_uniform_share_leaves_the_attack_alone_and_none_changes_nothing()
    {
        Same(new Trades(_pgd), new Trades(_pgd).With(new LabelSmoothing(0)));
        Assert.True(TestNets.Differ(Train(new Trades(_pgd)).State, Train(new Trades(_pgd).With(new LabelSmoothing(0.1f))).State));
    }

    [Fact]
    public void IGDM_without_its_term_is_AdaAD() => Same(new AdaAd(_pgd), new AdaAd(_pgd).With(new IndirectGradient { Matching = 0 }));

    [Fact]
    public void MAILs_weights_go_on_any_method_with_a_term_for_them()
    {
        Mail mail = new() { Start = 1 };
        Assert.True(TestNets.Differ(Train(new Consistency(_pgd)).State, Train(new Consistency(_pgd).With(mail)).State));
        Same(new Consistency(_pgd), new Consistency(_pgd).With(mail with { Start = 2 }));
        var error = Assert.Throws<InvalidOperationException>(() => Train(new Sovr(_pgd).With(mail)));
        Assert.Equal("sovr has no term that takes the sample weights of Mail.", error.Message);
    }

    [Fact]
    public void Stochastic_averages_are_the_mean_of_the_epochs_with_statistics_of_the_images()
    {
        using var device = Device.Cpu(1);
        var run = Make(device, new PgdAt(_pgd).With(new SwaAveraging(1)));
        Assert.Same(run.Net, run.Step.Reported);
        List<float[]> weights = [];
        for (int epoch = 1; epoch <= 3; epoch++)
        {
            Run(run, epoch);
            weights.Add(run.Net.Parameters.Parameters[0].ToArray());
            var statistics = run.Step.EndEpoch(epoch)!;
            statistics.Add(TestNets.Images(4, seed: 1));
            statistics.Add(TestNets.Images(2, seed: 2));
            statistics.Finish();
        }
        double[] mean = [.. Enumerable.Range(0, weights[0].Length).Select(i => weights.Average(w => (double)w[i]))];
        Ops.LossProbe.AssertNear(mean, run.Step.Reported.Parameters.Parameters[0].ToArray(), 1e-6);
        Assert.Equal(2, run.Step.Reported.BatchNorms[0].BatchesTracked);
        Assert.All(run.Step.Reported.BatchNorms.SelectMany(n => n.RunningVar.ToArray()), v => Assert.True(v > 0));
    }

    [Fact]
    public void A_missing_network_is_named()
    {
        using var device = Device.Cpu(1);
        PreActResNet net = TestNets.Small(device);
        var teacher = Assert.Throws<ArgumentException>(() => new TrainingStep(net, new KdSwa(_pgd), new Sgd(net.Parameters), seed: 1));
        Assert.Equal(
            "The method needs a teacher 'clean': give the training step new AuxiliaryModels { Teachers = … } with it.", teacher.Message);
        var twin = Assert.Throws<ArgumentException>(() => new TrainingStep(net, Named("wa"), new Sgd(net.Parameters), seed: 1));
        Assert.Equal("wa keeps a second network of the same kind: give the training step new AuxiliaryModels "
            + "{ Twin = … }, which makes it.", twin.Message);
    }

    private static Objective Named(string name, params (string Setting, string Text)[] settings) =>
        MethodCatalog.Make(name, settings.ToDictionary(s => s.Setting, s => s.Text), _pgd);

    internal static (PreActResNet Net, TrainingStep Step) Make(Device device, Objective objective, IProcessGroup? team = null)
    {
        PreActResNet net = TestNets.Small(device);
        AuxiliaryModels companions = new()
        {
            Twin = () => TestNets.Small(device, seed: 9),
            Teachers = new Dictionary<string, Classifier>
            { ["clean"] = TestNets.Small(device, seed: 2), ["robust"] = TestNets.Disturbed(device) },
        };
        return (net, new TrainingStep(net, objective, new Sgd(net.Parameters, 0.9f, 5e-4f), seed: 7, companions, team));
    }

    internal static void Run((PreActResNet Net, TrainingStep Step) run, int i)
    {
        int n = run.Step.TwoViews ? 8 : 4;
        run.Step.Run(new TrainingBatch
        {
            Images = TestNets.Images(n, seed: 10 + i),
            Labels = TestNets.ClassesOf(4),
            Samples = TestNets.Indices(4, 4 * i)
        },
            new StepContext(1, i, 10, 0.1f, 0.1f));
    }

    private static (NamedArray[] State, double[] Losses) Train(Objective objective, int threads = 2, int steps = 3)
    {
        using var device = Device.Cpu(threads);
        var run = Make(device, objective);
        var losses = new double[steps];
        for (int i = 0; i < steps; i++)
        {
            Run(run, i);
            losses[i] = run.Step.Loss.Read();
        }
        return ([.. run.Net.State()], losses);
    }

    private static void Same(Objective expected, Objective actual)
    {
        // Both under the same attack: what differs is the method.
        var (a, lossesA) = Train(expected);
        var (b, lossesB) = Train(actual);
        Assert.Equal(lossesA, lossesB);
        TestNets.SameBits(a, b);
    }

    // Another kernel computes the same numbers: up to rounding, which an attack's signs make a little larger.
    private static void Near(Objective expected, Objective actual)
    {
        var (a, lossesA) = Train(expected, steps: 1);
        var (b, lossesB) = Train(actual, steps: 1);
        Assert.Equal(lossesA[0], lossesB[0], 1e-5);
        NearState(a, b);
    }

    private static void NearState(NamedArray[] expected, NamedArray[] actual)
    {
        foreach (var (a, b) in expected.Zip(actual).Where(p => p.First.Type == ElementType.F32))
            Ops.LossProbe.AssertNear(Array.ConvertAll(a.ToFloats(), v => (double)v), b.ToFloats(), 1e-3);
    }
}
