using Rpat.Tests.Support;

namespace Rpat.Tests.Robust.Attacks;

/// <summary>What holds for every attack (attacks.md 4.3: P1, P2, P15 to P17, P23, P25), and how users extend them.</summary>
public sealed class AttackRunnerTests : IDisposable
{
    private readonly Device _device = Device.Cpu(1);
    private readonly Fixture _r;

    public AttackRunnerTests() => _r = Fixture.R(_device);

    public void Dispose() => _device.Dispose();

    public static TheoryData<string> Names =>
        [.. Every(Norm.Linf, 0.03).Concat(Every(Norm.L2, 0.3)).Select(a => $"{a.Norm.Name}:{a.Name}").Distinct()];

    [Theory]
    [MemberData(nameof(Names))]
    public void Results_do_not_depend_on_batch_order_or_company(string name)
    {
        Attack attack = Find(name, name.StartsWith("linf", StringComparison.Ordinal) ? 0.06 : 0.7);
        var all = _r.Attack(attack, batch: 64);
        foreach (int batch in new[] { 1, 7 }) AssertSame(all, _r.Attack(attack, batch: batch));
        int[] order = [.. Enumerable.Range(0, 16).Select(i => (5 * i + 3) % 16)];
        float[] images = [.. order.SelectMany(i => Exact.ImageOf(_r, i))];
        var shuffled = new AttackRunner(_r.Net, new() { Batch = 5 }).Perturb(
            attack, images, [.. order.Select(i => _r.Labels[i])], [.. order.Select(i => (long)i)]);
        AssertSame(all, [.. shuffled.OrderBy(o => o.Index)]);
        var half = new AttackRunner(_r.Net).Perturb(attack, _r.Images.AsSpan(8 * 192), _r.Labels.AsSpan(8),
            [.. Enumerable.Range(8, 8).Select(i => (long)i)]);
        AssertSame(all[8..], half);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_point_is_feasible_and_the_misclassified_stay_as_they_are(string name)
    {
        int[] labels = [.. _r.Labels.Select((y, i) => i % 4 == 0 ? (y + 1) % 10 : y)];
        foreach (double eps in new[] { 1e-9, 1e-6, 0.02, 1 })
        {
            Attack attack = Find(name, eps);
            var outcomes = new AttackRunner(_r.Net).Perturb(attack, _r.Images, labels);
            foreach (var o in outcomes)
            {
                float[] x = Exact.ImageOf(_r, (int)o.Index);
                if (o.Index % 4 == 0) Bits.Equal(x, o.Image);
                Assert.Equal(o.Index % 4 != 0, o.WasCorrect);
                Assert.All(o.Image, v => Assert.InRange(v, 0f, 1f));
                bool own = attack is Fab or DeepFool or CarliniWagner; // these have a radius only where they count as fooling
                if (!own || o.Fooled)
                    Assert.InRange(attack.Norm.Distance(o.Image, x), 0, attack.Norm == Norm.Linf ? eps + 1e-6 : eps * (1 + 1e-5) + 1e-7);
            }
        }
    }

    [Theory]
    [InlineData("linf:apgd-ce")]
    [InlineData("l2:apgd-ce")]
    [InlineData("linf:pgd5")]
    [InlineData("linf:square")]
    [InlineData("linf:fab")]
    public void One_more_restart_only_breaks_more(string name)
    {
        HashSet<long>? before = null;
        for (int restarts = 1; restarts <= 3; restarts++)
        {
            Attack attack = Find(name, name.StartsWith("linf", StringComparison.Ordinal) ? 0.04 : 0.45) with { Restarts = restarts };
            HashSet<long> broken = [.. _r.Attack(attack).Where(o => o.Fooled).Select(o => o.Index)];
            Assert.True(before is null || before.IsSubsetOf(broken));
            before = broken;
        }
    }

    [Theory]
    [InlineData("linf:apgd-ce")]
    [InlineData("l2:apgd-ce")]
    [InlineData("linf:pgd5")]
    [InlineData("linf:square")]
    [InlineData("l2:square")]
    public void Restarts_break_images_that_one_start_does_not(string name)
    {
        double unit = name.StartsWith("linf", StringComparison.Ordinal) ? 0.0025 : 0.025;
        Fixture twoPixels = Fixture.O(_device);
        Assert.Contains(Enumerable.Range(1, 40), i => Broken(_r, 3, i * unit) > Broken(_r, 1, i * unit)
            || Broken(twoPixels, 3, i * unit) > Broken(twoPixels, 1, i * unit));

        int Broken(Fixture fixture, int restarts, double eps)
        {
            Attack attack = Find(name, eps) switch
            {
                Square square => square with { Steps = 10 },
                Apgd apgd => apgd with { Steps = 2 },
                var other => other,
            };
            return fixture.Attack(attack with { Restarts = restarts }).Count(o => o.Fooled);
        }
    }

    [Theory]
    [InlineData("linf")]
    [InlineData("l2")]
    public void Stopping_at_the_first_success_changes_no_flag(string norm)
    {
        foreach (Apgd attack in new[] { Apgd.CrossEntropy, Apgd.Dlr, Apgd.Targeted })
        {
            Apgd a = attack with { Norm = Norm.Parse(norm), Eps = norm == "linf" ? 0.04 : 0.45 };
            Assert.Equal(_r.Attack(a).Select(o => o.Fooled), _r.Attack(a with { StopAtSuccess = false }).Select(o => o.Fooled));
        }
        PgdAttack pgd = new() { Eps = 0.04, StepSize = 0.01, Keep = Keep.AnyMisclassified };
        var any = _r.Attack(pgd);
        foreach (var last in _r.Attack(pgd with { Keep = Keep.Last }).Where(o => o.Fooled)) Assert.True(any[last.Index].Fooled);
    }

    [Fact]
    public void Attacks_grow_stronger_in_this_order()
    {
        int Left(Attack attack) => _r.Attack(attack with { Eps = 0.05 }).Count(o => !o.Fooled);
        int noise = Left(new PgdAttack { Steps = 1, StepSize = 1e-9 }), fgsm = Left(new Fgsm()),
            pgd = Left(new PgdAttack { StepSize = 0.0125, Keep = Keep.AnyMisclassified });
        int longer = Left(new PgdAttack { StepSize = 0.0125, Steps = 40, Keep = Keep.AnyMisclassified });
        Assert.True(noise >= fgsm && fgsm >= pgd && pgd >= longer && noise > longer, $"{noise} {fgsm} {pgd} {longer}");
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(9)]
    public void Fewer_than_ten_classes_run_with_adapted_targets_and_say_so(int classes)
    {
        Fixture l = Fixture.L(_device, classes);
        foreach (Norm norm in new[] { Norm.Linf, Norm.L2 })
        {
            double eps = norm == Norm.Linf ? 0.012 : 0.14;
            double[] exact = Exact.WorstMargins(l, norm, eps);
            AttackSuite suite = AutoAttack.Standard(norm, eps, classes);
            Assert.Equal($"aa-standard(K={classes}, adapted)", suite.Label);
            var left = new HashSet<long>(Enumerable.Range(0, 16).Select(i => (long)i));
            foreach (Attack attack in suite.Attacks)
            {
                var outcomes = l.Attack(attack is Square s ? s with { Steps = 50 } : attack);
                foreach (var o in outcomes.Where(o => o.Fooled)) left.Remove(o.Index);
                if (attack is Apgd { Targets: > 0 } or Fab { Targets: > 0 }) Assert.Equal(classes - 1, attack.Parts(classes).Count);
            }
            Assert.Equal(Enumerable.Range(0, 16).Where(i => exact[i] > 0).Select(i => (long)i), left.Order());
        }
    }

    [Fact]
    public void Ten_classes_are_standard_and_plus_and_rand_are_as_specified()
    {
        Assert.Equal("aa-standard", AutoAttack.Standard(Norm.Linf, 0.1, 10).Label);
        Assert.Equal(["apgd-ce", "apgd-t", "fab-t", "square"], AutoAttack.Standard(Norm.L2, 0.1, 10).Attacks.Select(a => a.Name));
        Assert.Equal(["apgd-ce", "apgd-dlr", "fab", "square", "apgd-t", "fab-t"],
            AutoAttack.Plus(Norm.Linf, 0.1, 10).Attacks.Select(a => a.Name));
        Assert.Equal([5, 5, 5, 1, 1, 1], AutoAttack.Plus(Norm.Linf, 0.1, 10).Attacks.Select(a => a.Restarts));
        Assert.Equal([20, 20], AutoAttack.Rand(Norm.Linf, 0.1, 10).Attacks.Select(a => ((Apgd)a).Draws));
        Assert.Equal("aa-plus(K=2, adapted)", AutoAttack.Plus(Norm.Linf, 0.1, 2).Label);
        Assert.All(AutoAttack.Standard(Norm.L2, 0.25, 10).Attacks, a => Assert.Equal((Norm.L2, 0.25), (a.Norm, a.Eps)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_targeted_attack_only_counts_the_goal(string name)
    {
        Attack attack = Find(name, name.StartsWith("linf", StringComparison.Ordinal) ? 0.3 : 3);
        int[] goals = [.. _r.Labels.Select(y => (y + 3) % 10)];
        var outcomes = new AttackRunner(_r.Net).Perturb(attack, _r.Images, _r.Labels, goals: goals);
        float[] logits = _r.Logits([.. outcomes.SelectMany(o => o.Image)]);
        for (int i = 0; i < 16; i++)
            Assert.Equal(Predictions.ArgMax(logits.AsSpan(10 * i, 10)) == goals[i] && outcomes[i].Fooled, outcomes[i].Fooled);
        if (attack is not (Fgsm or RandomFgsm or FastFgsm or Square)) Assert.True(outcomes.Count(o => o.Fooled) >= 2);
    }

    [Fact]
    public void A_targeted_attack_leaves_the_images_that_are_of_the_goal_or_taken_for_it()
    {
        // Images 0 to 3 have the goal as true class, 4 to 7 another one than the network's, which is the goal.
        int[] labels = [.. _r.Labels.Select((y, i) => i is >= 4 and < 8 ? (y + 1) % 10 : i < 4 ? (y + 2) % 10 : y)];
        int[] goals = [.. _r.Labels.Select((y, i) => i < 4 ? labels[i] : i < 8 ? y : (y + 3) % 10)];
        foreach (Attack attack in new Attack[] { Apgd.Targeted with { Eps = 0.3 }, Fab.Targeted with { Eps = 0.3 }, new PgdAttack
            { Eps = 0.3 } })
        {
            var outcomes = new AttackRunner(_r.Net).Perturb(attack, _r.Images, labels, goals: goals);
            Assert.All(outcomes[..8], o => Assert.Equal((false, false), (o.WasCorrect, o.Fooled)));
            Assert.All(outcomes[..8], o => Bits.Equal(Exact.ImageOf(_r, (int)o.Index), o.Image));
            Assert.All(outcomes[8..], o => Assert.True(o.WasCorrect));
        }
    }

    [Fact]
    public void With_a_goal_there_is_one_target_and_it_is_the_goal()
    {
        int[] goals = [.. _r.Labels.Select(y => (y + 3) % 10)];
        foreach (Attack attack in new Attack[] { Apgd.Targeted with { Eps = 0.001, Steps = 5 }, Fab.Targeted with
            { Eps = 0.001, Steps = 5 } })
        {
            var outcomes = new AttackRunner(_r.Net).Perturb(attack, _r.Images, _r.Labels, goals: goals);
            Assert.All(outcomes, o => Assert.InRange(o.Backwards, 5, 6));
        }
        Assert.True(new AttackRunner(_r.Net).Perturb(Apgd.Targeted with { Eps = 0.3 }, _r.Images, _r.Labels, goals: goals)
            .Count(o => o.Fooled) >= 8);
    }

    [Fact]
    public void The_true_class_is_never_a_target()
    {
        Subject? seen = null;
        new AttackRunner(_r.Net).Perturb(new Fgsm(), _r.Images.AsSpan(0, 192), _r.Labels.AsSpan(0, 1), prepare: s => seen = s);
        float[] z = new float[10];
        z[(_r.Labels[0] + 1) % 10] = 2;
        z[_r.Labels[0]] = 1;
        Assert.Equal((_r.Labels[0] + 1) % 10, seen!.TargetOfRank(z, 2));
        Assert.Equal(Enumerable.Range(0, 10).Where(k => k != _r.Labels[0]),
            Enumerable.Range(2, 9).Select(rank => seen!.TargetOfRank(z, rank)).Order());
    }

    [Fact]
    public void A_loss_a_start_and_a_transform_of_ones_own()
    {
        var outcomes = new AttackRunner(_r.Net, new() { Transform = new Mirror() }).Perturb(
            new PgdAttack
            {
                Eps = 0.5,
                StepSize = 0.1,
                Loss = new RunnerUp(),
                Start = (subject, _) => subject.Image,
                Keep = Keep.AnyMisclassified
            }, _r.Images, MirroredLabels());
        Assert.True(outcomes.Count(o => o.Fooled) > 8);
        foreach (var o in outcomes.Where(o => o.Fooled))
        {
            float[] seen = new float[192];
            new Mirror().Apply(o.Image, Fixture.Image, default, seen);
            Assert.NotEqual(MirroredLabels()[o.Index], Predictions.ArgMax(_r.Logits(seen)));
        }
    }

    [Fact]
    public void Gradients_of_a_random_model_are_averaged_and_belong_to_the_image()
    {
        AttackRunnerOptions noisy = new() { Transform = new GaussianNoise(0.1), Seed = 3 };
        AttackOutcome[] Run(int draws, int batch) => new AttackRunner(_r.Net, noisy with { Batch = batch })
            .Perturb(new PgdAttack { Eps = 0.05, StepSize = 0.02, Steps = 4, Draws = draws }, _r.Images, _r.Labels);
        var twenty = Run(20, 64);
        AssertSame(twenty, Run(20, 7));
        Assert.Contains(twenty.Zip(Run(1, 64)), pair => !pair.First.Image.SequenceEqual(pair.Second.Image));
        Assert.All(twenty.Where(o => o.WasCorrect), o => Assert.Equal((80, 82), (o.Backwards, o.Forwards)));
    }

    [Fact]
    public void Every_draw_of_every_restart_has_noise_of_its_own()
    {
        var firsts = from restart in Enumerable.Range(0, 4096)
                     from draw in new[] { 0, 1, 63 }
                     from query in new[] { 0, 1 }
                     select NetBatches.NoiseOf(new RandomKey(7, Purpose.Noise, 0, 0, restart, query), draw).Word(0) * (1L << 32)
                         + NetBatches.NoiseOf(new RandomKey(7, Purpose.Noise, 0, 0, restart, query), draw).Word(1);
        Assert.Equal(4096 * 3 * 2, firsts.Distinct().Count());
    }

    [Theory]
    [InlineData(float.NaN, "holds NaN")]
    [InlineData(1.5f, "undo the normalisation")]
    [InlineData(200f, "divide pixels by 255")]
    [InlineData(-2.1f, "undo the normalisation")]
    public void Images_that_are_none_are_refused(float value, string hint)
    {
        float[] images = [.. _r.Images];
        images[3 * 192 + 5] = value;
        var error = Assert.Throws<ArgumentException>(() => new AttackRunner(_r.Net).Perturb(new Fgsm(), images, _r.Labels));
        Assert.Contains("Image 3", error.Message);
        Assert.Contains(hint, error.Message);
    }

    [Fact]
    public void Labels_and_sizes_that_do_not_fit_are_refused()
    {
        AttackRunner runner = new(_r.Net);
        Assert.Contains("Label 10 of image 1", Assert.Throws<ArgumentException>(
            () => runner.Perturb(new Fgsm(), _r.Images.AsSpan(0, 384), [0, 10])).Message);
        Assert.Contains("not 3 images of 3x8x8", Assert.Throws<ArgumentException>(
            () => runner.Perturb(new Fgsm(), _r.Images.AsSpan(0, 384), [0, 1, 2])).Message);
        Assert.Throws<ArgumentException>(() => new Fgsm { Eps = -1 });
        Assert.Throws<ArgumentException>(() => new Fgsm { Eps = double.NaN });
    }

    [Fact]
    public void Training_mode_is_refused_unless_it_is_asked_for()
    {
        Assert.Contains("training mode", Assert.Throws<ArgumentException>(
            () => new AttackRunner(_r.Net, new() { Bn = BnMode.Train })).Message);
        Assert.NotNull(new AttackRunner(_r.Net, new() { Bn = BnMode.TrainFrozen, AllowTrainingMode = true }));
    }

    [Fact]
    public void A_model_that_answers_NaN_is_an_error_and_no_accuracy()
    {
        DenseNet net = new(_device, new Shape(1, 4), [new(new double[12], [double.NaN, 0, 0])]);
        var error = Assert.Throws<NotFiniteException>(() => new AttackRunner(net).Perturb(new Fgsm(), new float[8], [0, 1], [41, 42]));
        Assert.Contains("image 41 hold NaN", error.Message);
    }

    [Fact]
    public void Starts_of_evaluation_and_training_are_the_same_numbers()
    {
        Tensor x = Tensor.From(_device, Fixture.Image.WithBatch(16), _r.Images);
        RandomKey key = new(7, Purpose.AttackStart, 0, 0, 0, 0);
        float[] trained = new Pgd(_r.Net, new PgdOptions { Eps = 0.05f, StepSize = 0.01f, Steps = 5 })
            .Perturb(x, Labels.From(_device, _r.Labels), key, [.. Enumerable.Range(0, 16).Select(i => (long)i)]).ToArray();
        var evaluated = _r.Attack(new PgdAttack { Eps = 0.05f, StepSize = 0.01f, Steps = 5 }, seed: 7);
        Bits.Equal(trained, [.. evaluated.SelectMany(o => o.Image)]);
    }

    private int[] MirroredLabels()
    {
        float[] seen = new float[_r.Images.Length];
        for (int i = 0; i < 16; i++) new Mirror().Apply(_r.Images.AsSpan(192 * i, 192), Fixture.Image, default, seen.AsSpan(192 * i, 192));
        float[] z = _r.Logits(seen);
        return [.. Enumerable.Range(0, 16).Select(i => Predictions.ArgMax(z.AsSpan(10 * i, 10)))];
    }

    private static void AssertSame(AttackOutcome[] expected, AttackOutcome[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        foreach (var (a, b) in expected.Zip(actual))
        {
            Assert.Equal(a with { Image = [] }, b with { Image = a.Image.Length == 0 ? b.Image : [] });
            Bits.Equal(a.Image, b.Image);
        }
    }

    private static Attack Find(string name, double eps) =>
        Every(Norm.Parse(name.Split(':')[0]), eps).First(a => a.Name == name.Split(':')[1]);

    private static IEnumerable<Attack> Every(Norm norm, double eps)
    {
        Attack[] both =
        [
            new Fgsm(), new PgdAttack { StepSize = eps / 4, Steps = 5 }, PgdAttack.CwLinf with { StepSize = eps / 4, Steps = 5 },
            Apgd.CrossEntropy with { Steps = 12 }, Apgd.Dlr with { Steps = 12 }, Apgd.Targeted with { Steps = 12, Targets = 2 },
            new Fab { Steps = 6 }, Fab.Targeted with { Steps = 6, Targets = 2 }, new Square { Steps = 25 }, new DeepFool { Steps = 6 },
        ];
        Attack[] linf = [new RandomFgsm(), new FastFgsm { StepSize = 1.25 * eps }, new MiFgsm { StepSize = eps / 4, Steps = 5 }];
        Attack[] own = norm == Norm.Linf ? linf : [new CarliniWagner { Searches = 4, Iterations = 25, FirstWeight = 1 }];
        return both.Concat(own).Select(a => a with { Norm = norm, Eps = eps });
    }

    /// <summary>z_second − z_first of the classes 0 and 1, whatever the label: a loss with a gradient of one's own.</summary>
    private sealed record RunnerUp : AttackLoss
    {
        public override string Name => "runner-up";

        public override double Evaluate(in LossInput input, Span<float> gradient)
        {
            gradient.Clear();
            int other = input.Label == 0 ? 1 : 0;
            (gradient[other], gradient[input.Label]) = (1, -1);
            return input.Logits[other] - input.Logits[input.Label];
        }
    }

    /// <summary>Turns the image upside down, in the order of its values; linear, so the pull-back is exact.</summary>
    private sealed record Mirror : InputTransform
    {
        public override bool IsRandom => false;

        public override void Apply(ReadOnlySpan<float> u, Shape shape, in PhiloxStream random, Span<float> v)
        {
            u.CopyTo(v);
            v.Reverse();
        }

        public override void PullBack(ReadOnlySpan<float> u, Shape shape, in PhiloxStream random, Span<float> gradient) =>
            gradient.Reverse();
    }
}
