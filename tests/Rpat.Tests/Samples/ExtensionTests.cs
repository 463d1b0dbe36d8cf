using Rpat.Models;
using Rpat.Robust.Methods;
using Rpat.Samples.Extensions;
using Rpat.Tests.Ops;
using Rpat.Tests.Reference;
using Rpat.Tests.Robust;

namespace Rpat.Tests.Samples;

/// <summary>What an assembly of one's own adds is used for real: by the library, which knows it by name.</summary>
public sealed class ExtensionTests : IDisposable
{
    private static readonly PgdOptions _pgd = PgdOptions.Linf with { Steps = 2 };

    private readonly Device _device = Device.Cpu(2);
    private readonly LabeledImages _images = DataSetAttribute.Find("stripes")!.Open("").Train;

    public void Dispose() => _device.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(1.7)]
    public void TheOpHasItsDerivativeInBothLayoutsAndThroughAView(double beta)
    {
        double Reference(double x) => x / (1 + Math.Exp(-beta * x));
        using OpGraph graph = new(setups: CpuSetup.Threading);
        ReferencePair x = graph.Activation(Array4.Uniform(2, 5, 3, 4, seed: 1)),
            h = graph.BatchNorm2d(x, graph.Norm(NormValues.Random(5, seed: 3)), BnMode.Train);
        graph.Check(graph.Add(graph.Elementwise(h, new Swish(beta), Reference), x));
        using OpGraph images = new(setups: CpuSetup.Threading);
        images.Check(images.Elementwise(images.Image(Array4.Uniform(2, 3, 3, 4, seed: 1)), new Swish(beta), Reference));
    }

    [Fact]
    public void AnOpOfKernelsThereAreAveragesAndSharesTheGradient()
    {
        Array4 a = Array4.Uniform(2, 3, 1, 1, seed: 1), b = Array4.Uniform(2, 3, 1, 1, seed: 2), dy = Array4.Uniform(2, 3, 1, 1, seed: 3);
        using DeviceRun lane = new(CpuSetup.Best, Gradients.Inputs);
        Tensor x = lane.Image(a), y = lane.Image(b);
        Array4 mean = lane.Run(lane.Tape.Mean(lane.Tape.Mean(x, y), x), dy);
        OpGraph.AssertClose(a.Zip(b, (p, q) => 0.75 * p + 0.25 * q), mean, OpGraph.Allowed(CpuSetup.Best), "mean");
        OpGraph.AssertClose(dy.Map(g => 0.75 * g), DeviceRun.Gradient(x), OpGraph.Allowed(CpuSetup.Best), "a");
        OpGraph.AssertClose(dy.Map(g => 0.25 * g), DeviceRun.Gradient(y), OpGraph.Allowed(CpuSetup.Best), "b");
        OpErrors.Names("Mean", () => lane.Tape.Mean(x, lane.Image(new Array4(2, 4, 1, 1))), "[2, 3]", "[2, 4]");
    }

    [Fact]
    public void TheLossHasItsGradient()
    {
        float[] z = [0.3f, -1.2f, 2], t = [0.1f, 0.4f, -0.5f], gradient = new float[3];
        double value = new SquaredDifference().Evaluate(z, t, 0, gradient);
        Assert.Equal(z.Zip(t, (a, b) => Math.Pow(a - (double)b, 2)).Average(), value, 1e-12);
        Assert.All(gradient.Zip(z.Zip(t)), g => Assert.Equal(2 * (g.Second.First - g.Second.Second) / 3, g.First, 1e-6));
    }

    [Fact]
    public void MethodModifiersNetworkAndDataTrainTogether()
    {
        Objective method = MethodCatalog.Make("focal-at", new Dictionary<string, string>(), _pgd).With(new LogitPairing(),
            new GradientNoise());
        var (net, losses) = Train(method);
        Assert.All(losses, loss => Assert.InRange(loss, 0.1, 10));
        Assert.Equal(["ce", "pairing"], Parts(method));
        Assert.True(TestNets.Differ([.. Train(method.With(new GradientNoise { Deviation = 0 })).Net.State()], [.. net.State()]));
        TestNets.SameBits([.. Train(new FocalAt(_pgd)).Net.State()],
            [.. Train(new FocalAt(_pgd).With(new GradientNoise { Deviation = 0 })).Net.State()]);
        TestNets.SameBits([.. Train(new FocalAt(_pgd)).Net.State()],
            [.. Train(new FocalAt(_pgd).With(new LogitPairing { Weight = 0 })).Net.State()]);
        Assert.Equal(new PgdAt(_pgd).With(new LogitPairing()) with
        { Row = "alp" }, MethodCatalog.Make("alp", new Dictionary<string, string>(), _pgd));
    }

    /// <summary>The noise's step: the same gradient, the noise times the rate away.</summary>
    [Fact]
    public void NoiseOnTheGradientHasItsDeviation()
    {
        float[] plain = Weights(new PgdAt(_pgd)), noisy = Weights(new PgdAt(_pgd).With(new GradientNoise { Deviation = 0.5f }));
        double square = plain.Zip(noisy, (a, b) => Math.Pow((a - b) / 0.1, 2)).Average();
        Assert.Equal(0.5, Math.Sqrt(square), 0.02);

        float[] Weights(Objective method) => [.. Train(method, steps: 1).Net.Parameters.Parameters.SelectMany(p => p.ToArray())];
    }

    [Fact]
    public void TheAttackIsKnownByItsNameAndStaysInTheBall()
    {
        var net = Net();
        var runner = new AttackRunner(net);
        var suite = AttackCatalog.Find("best-of-noise", Norm.L2, 0.5, 4)!;
        Assert.Equal(("best-of-noise", "best-of-noise", 0.5), (suite.Label, suite.Attacks[0].Name, suite.Attacks[0].Eps));
        float[] images = Batch(8);
        var outcomes = runner.Perturb(suite.Attacks[0], images, _images.Labels.AsSpan(0, 8));
        var again = new AttackRunner(net, new() { Batch = 3 }).Perturb(suite.Attacks[0], images, _images.Labels.AsSpan(0, 8));
        for (int i = 0; i < 8; i++)
        {
            Assert.InRange(Norm.L2.Distance(images.AsSpan(256 * i, 256), outcomes[i].Image), 0, 0.5 + 1e-5);
            Assert.Equal(again[i].Image, outcomes[i].Image);
        }
        Assert.Contains(outcomes, o => o.WasCorrect && !o.Image.SequenceEqual(images[..256]));
    }

    [Fact]
    public void AnAttackIsRefusedInANormThatItDoesNotKnow()
    {
        Catalog.Register(Emitted.Assembly("OneNorm",
            ("Plugin", typeof(FreeAttack), Emitted.Attribute<AttackAttribute>("linf-only", "linf", "-", "own"))));
        Assert.Equal(0.5, AttackCatalog.Find("linf-only", Norm.Linf, 0.5, 4)!.Attacks[0].Eps);
        var error = Assert.Throws<ArgumentException>(() => AttackCatalog.Find("linf-only", Norm.L2, 0.5, 4));
        Assert.Equal("Attack 'linf-only' does not know the norm l2: see 'rpat attacks'.", error.Message);
    }

    /// <summary>Its name is all that an outside attack's random numbers hang on: this number may never change.</summary>
    [Fact]
    public void AnOutsideAttacksNumberComesFromItsNameAndIsNoneOfTheLibrarys()
    {
        Assert.Equal(new BestOfNoise().Id, new BestOfNoise { Points = 3 }.Id);
        Assert.InRange(new BestOfNoise().Id, 64, 1023);
        Assert.NotEqual(new BestOfNoise().Id, new FreeAttack().Id);
        Attack[] own = [new Fgsm(), new RandomFgsm(), new FastFgsm(), new PgdAttack(), new MiFgsm(), new DeepFool(), new CarliniWagner(),
            new Square(), new Fab(), Apgd.Targeted];
        Assert.All(own, attack => Assert.InRange(attack.Id, 0, 63));
    }

    [Fact]
    public void TheNetworkIsFoundByItsNameAndItsFilesTellItsSizes()
    {
        FeatureClassifier net = Net();
        ModelFamily family = ModelCatalog.Find("swish-net")!;
        Assert.Equal(("swish-net", 16, 64), (family.Name, family.Width, net.FeatureCount));
        var fitted = family.Fit(new ModelSpec("swish-net", new Shape(1, 3, 16, 16), 10),
            net.StateShapes().ToDictionary(s => s.Name, s => s.Shape));
        Assert.Equal((1, 4), (fitted.Input.C, fitted.Classes));
    }

    /// <summary>Layers, SiLU, squeeze-and-excite and a layer of one's own: the net is found, trains
    /// against an attack, and prints itself.</summary>
    [Fact]
    public void ANetworkOfLayersTrains()
    {
        FeatureClassifier net = ModelCatalog.Build(_device, new ModelSpec("se-net", new Shape(1, 1, 16, 16), 4) { Width = 8 }, seed: 1);
        var fitted = ModelCatalog.Find("se-net")!.Fit(new ModelSpec("se-net", new Shape(1, 3, 16, 16), 10),
            net.StateShapes().ToDictionary(s => s.Name, s => s.Shape));
        Assert.Equal((1, 4), (fitted.Input.C, fitted.Classes));
        Assert.Contains("        (3): SqueezeExcite(\n          (fc1): Conv2d(8, 2, kernel_size=(1, 1)", net.ToString());
        Assert.Contains("        (4): ChannelScale()\n", net.ToString());
        var step = new TrainingStep(net, new PgdAt(_pgd), new Adam(net.Parameters), seed: 1);
        double[] losses = new double[12];
        for (int i = 0; i < losses.Length; i++)
        {
            step.Run(Batch(8), _images.Labels.AsSpan(0, 8), TestNets.Indices(8), epoch: 1, rate: 0.02f);
            losses[i] = step.Loss.Read();
        }
        Assert.True(losses[^1] < 0.6 * losses[0], string.Join(' ', losses));
        Assert.Contains(net.Parameters.Parameters.Single(p => p.Name == "body.1.body.4.factors").ToArray(), v => v != 1);
    }

    /// <summary>Weights move by hand before the pass and back behind the update; weights of several modifiers multiply.</summary>
    [Fact]
    public void EveryHookIsCalledInItsOrderAndWeightsMultiply()
    {
        var seen = new List<string>();
        var (_, losses) = Train(new PgdAt(_pgd).With(new Watching(seen, 2), new Halving()), steps: 1);
        Assert.Equal(["pass proxy", "update", "updated", "moved"], seen);
        Assert.Equal(Train(new PgdAt(_pgd), steps: 1).Losses[0], losses[0], 1e-6);
    }

    [Fact]
    public void AProxyPassMustBeAskedFor()
    {
        var error = Assert.Throws<InvalidOperationException>(
            () => Train(new PgdAt(_pgd).With(new Watching([], 1) { Asks = false }), steps: 1));
        Assert.Equal("A modifier that runs a proxy pass must ask for one: override Modifier.Proxy.", error.Message);
    }

    /// <summary>Slow weights are half of the way from the first weights to where two steps lead, and outlive a stop.</summary>
    [Fact]
    public void AModifierWithAStateIsResumedWithTheSameBits()
    {
        Objective method = new PgdAt(_pgd).With(new Lookahead { Every = 2 });
        float[] first = Values(Net()), fast = Values(Train(new PgdAt(_pgd)).Net), slow = Values(Train(method).Net);
        Assert.All(slow.Zip(first.Zip(fast)), w => Assert.Equal((w.Second.First + w.Second.Second) / 2, w.First, 1e-5f));
        var (net, again) = (Net(), Net());
        var step = Stepped(new(net, method, new Sgd(net.Parameters), seed: 1), 3, first: 0);
        again.Load(net.State());
        TrainingStep resumed = new(again, method, new Sgd(again.Parameters), seed: 1);
        Dictionary<string, NamedArray> state = step.State().ToDictionary(array => array.Name);
        resumed.LoadState(state);
        Stepped(step, 2, first: 3);
        Stepped(resumed, 2, first: 3);
        TestNets.SameBits([.. net.State()], [.. again.State()]);
        state.Remove("lookahead.slow");
        Assert.Throws<CheckpointException>(() => resumed.LoadState(state));

        static float[] Values(Classifier net) => [.. net.Parameters.Parameters.SelectMany(p => p.ToArray())];
    }

    private TrainingStep Stepped(TrainingStep step, int count, int first)
    {
        for (int i = first; i < first + count; i++)
            step.Run(new TrainingBatch { Images = Batch(8), Labels = _images.Labels.AsSpan(0, 8), Samples = TestNets.Indices(8) },
                new StepContext(1, i, Rate: 0.1f, TopRate: 0.1f));
        return step;
    }

    [Fact]
    public void AnOpWithItsOwnCpuKernelsSumsAndHasItsGradient()
    {
        Tensor x = Tensor.From(_device, new Shape(2, 3), [1, 2, 3, 4, 5, 6], needsGrad: true);
        var tape = new Tape(_device);
        Tensor y = tape.Retain(tape.RunningSum(x));
        tape.Forward();
        Assert.Equal([1, 3, 6, 4, 9, 15], y.ToArray());
        GradientCheck.Of(t => t.RunningSum(t.RunningSum(x)), x).Require();
        GradientCheck.Of(t => t.RobustDifference(t.RunningSum(x), x), x).Require();
        OpErrors.Names("RunningSum", () => tape.RunningSum(Tensor.Create(_device, new Shape(1, 1, 2, 2))), "[1, 1, 2, 2]", "rows");
    }

    private string[] Parts(Objective method)
    {
        var net = Net();
        var step = new TrainingStep(net, method, new Sgd(net.Parameters), seed: 1);
        step.Run(Batch(4), _images.Labels.AsSpan(0, 4), TestNets.Indices(4), epoch: 1, rate: 0);
        return [.. step.Loss.Terms.SelectMany(term => term.Parts)];
    }

    private (Classifier Net, double[] Losses) Train(Objective method, int steps = 2)
    {
        var net = Net();
        var step = new TrainingStep(net, method, new Sgd(net.Parameters), seed: 1);
        double[] losses = new double[steps];
        for (int i = 0; i < steps; i++)
        {
            step.Run(Batch(8), _images.Labels.AsSpan(0, 8), TestNets.Indices(8), epoch: 1, rate: 0.1f);
            losses[i] = step.Loss.Read();
        }
        return (net, losses);
    }

    private FeatureClassifier Net() => ModelCatalog.Build(_device, new ModelSpec("swish-net", new Shape(1, 1, 16, 16), 4), seed: 1);

    private float[] Batch(int count) => [.. _images.Pixels.Take(256 * count).Select(pixel => pixel / 255f)];

    /// <summary>Doubles the weights of the samples and notes what is called.</summary>
    private sealed record Watching(List<string> Seen, float Factor) : Modifier
    {
        public bool Asks { get; init; } = true;

        public override SampleWeighting Weighting => (_, _, weights) => weights.Fill(Factor);

        public override ProxyPass Proxy => Asks ? ProxyPass.Frozen : ProxyPass.None;

        public override StepHook Begin(ModifiedRun run) => new Hook(this, run);

        private sealed class Hook(Watching rule, ModifiedRun run) : StepHook
        {
            public override void BeforePass(in ModifiedStep step)
            {
                step.RunProxy();
                bool left = run.Net.Parameters.Parameters[0].GradToArray().Any(g => g != 0);
                rule.Seen.Add(left ? "pass proxy" : "pass");
            }

            public override void BeforeUpdate(in ModifiedStep step) => rule.Seen.Add("update");

            public override void AfterUpdate(in ModifiedStep step) => rule.Seen.Add("updated");

            public override void AfterMove(in ModifiedStep step) => rule.Seen.Add("moved");
        }
    }

    private sealed record Halving : Modifier
    {
        public override SampleWeighting Weighting => (_, _, weights) => weights.Fill(0.5f);
    }
}
