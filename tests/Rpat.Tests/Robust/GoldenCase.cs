using Rpat.Models;
using Rpat.Robust.Methods;
using Rpat.Robust.Modifiers;
using Rpat.Tests.Golden;

namespace Rpat.Tests.Robust;

/// <summary>One golden file (Golden/README.md, methods/NAME.npz) and the network that it is about.</summary>
internal sealed class GoldenCase : IDisposable
{
    // Largest error over largest entry; PyTorch's own float32 run stays below 2e-5 in all of them. Parts that are small differences of
    // large numbers (the divergence of near distributions, the perception term) are wider.
    private const double Totals = 2e-5, Parts = 5e-4, Weights = 2e-5;
    private const int WholeUpTo = 1024, Stride = 32;

    private readonly Device _device = Device.Cpu(2);
    private readonly string _name;
    private readonly int _count;
    private readonly float[] _images;
    private readonly int[] _labels;

    public GoldenCase(string name)
    {
        (_name, Arrays) = (name, new GoldenArrays(Path.Combine("methods", name + ".npz")));
        _count = Arrays.Integers("batch")[0];
        _labels = Arrays.Integers("labels");
        Net = Build(_device, "student");
        _images = [.. Uniform("images").Select(u => (float)u)];
    }

    private GoldenArrays Arrays { get; }

    private Classifier Net { get; }

    public PgdOptions Attack => new()
    {
        Norm = this["norm"] == 0 ? Norm.Linf : Norm.L2,
        Eps = this["eps"],
        StepSize = this["step"],
        Steps = (int)this["steps"],
        Bn = this["attack_train"] == 0 ? BnMode.Eval : BnMode.Train,
    };

    public float this[string setting] => (float)Arrays.Number($"setting/{setting}");

    public RobustPerception Term => new() { Weight = this["lam"], Alpha = this["alpha"] };

    public Cure Cure() => new(Attack)
    {
        Beta = this["beta"],
        Gamma = this["gamma"],
        MaskShare = this["percentile"],
        CleanShare = this["mix"],
        CodeForm = this["code"] == 1,
        Decay = this["ema"],
        Probability = 1,
    };

    public Mma Mma() => new(Attack) { Threshold = this["hinge"], Least = this["least"], Clean = this["share"] };

    public Gkl Gkl() => new(Attack)
    {
        Alpha = this["alpha_sce"],
        Beta = this["beta"],
        Power = this["power"],
        Temperature = this["temperature"],
        Rise = (int)this["rise"],
        Perturb = (float)Given("awp", 0),
        PerturbFrom = 1,
    };

    public Raat Raat() =>
        new(Attack) { Reach = this["reach"], Weight = this["weight"], Temperature = this["temperature"], Mix = this["mix"] };

    public Objective Igdm() => AdaAd().With(new IndirectGradient { Matching = this["matching"], Rise = (int)this["rise"] });

    public AdaAd AdaAd() => new(Attack) { Share = this["share"] };

    public LabelSmoothing Smoothing => new(this["smoothing"]);

    public EmaAveraging Ema => new(this["ema"]);

    /// <summary>PGD-AT under AWP's and ReBAT's attack.</summary>
    public PgdAt AtC() => new(Attack.C());

    public Awp Awp => new() { Gamma = this["awp"] };

    public Mail Mail => new() { Slope = this["slope"], Bias = this["bias"] };

    public void Dispose() => _device.Dispose();

    /// <summary>Makes the two steps with the stored starts of the attack, and compares everything.</summary>
    public void Check(Objective objective)
    {
        var step = Step(objective);
        for (int number = 1; number <= 2; number++)
        {
            Run(step, number);
            CheckLosses(step, number);
            EndEpoch(step, number);
        }
        CheckNet("weight", Net);
        if (Arrays.Has("average")) CheckNet("average", step.Averaged!);
    }

    private TrainingStep Step(Objective objective)
    {
        Sgd sgd = new(Net.Parameters, this["momentum"], this["decay"], this["nesterov"] == 1);
        Dictionary<string, Classifier> teachers = new()
        { ["clean"] = Build(Net.Device, "teacher1"), ["robust"] = Build(Net.Device, "teacher2") };
        return new TrainingStep(Net, objective, sgd, seed: 1, new AuxiliaryModels
        { Twin = () => Build(Net.Device, "student"), Teachers = teachers });
    }

    private void Run(TrainingStep step, int number)
    {
        int n = step.TwoViews ? _count / 2 : _count;
        bool mixed = _name.Contains("cutmix", StringComparison.Ordinal);
        TrainingBatch batch = new()
        {
            Images = _images,
            Labels = _labels.AsSpan(0, n),
            Samples = TestNets.Indices(n, first: 0),
            OtherLabels = mixed ? [.. _labels.Select((y, i) => (y + 1 + i) % Net.Classes)] : [],
            MixWeights = mixed ? [.. _labels.Select((_, i) => (i + 1f) / (n + 1))] : [],
        };
        int epoch = (int)(this["epoch"] + Given("epochs", 0) * (number - 1));
        StepContext moment = new(epoch, number - 1, (long)Given("total", 0), this["rate"], (float)Given("top", this["rate"]));
        step.Run(batch, moment, Start(number));
    }

    private double Given(string setting, double otherwise) =>
        Arrays.Has($"setting/{setting}") ? Arrays.Number($"setting/{setting}") : otherwise;

    private void EndEpoch(TrainingStep step, int number)
    {
        if (step.EndEpoch((int)this["epoch"]) is { } statistics && number == 2) Estimate(statistics);
    }

    private void CheckLosses(TrainingStep step, int number)
    {
        Near(Arrays.Number($"loss{number}/total"), step.Loss.Read(), Totals, $"total loss of step {number}");
        var parts = step.Loss.Terms.SelectMany(t => t.Parts.Select((part, i) => (part, Value: t.ReadPart(i)))).ToLookup(p => p.part,
            p => p.Value);
        foreach (string part in new[] { "ce", "rpat" }.Where(p => Arrays.Has($"loss{number}/{p}") && parts[p].Count() == 1))
            Near(Arrays.Number($"loss{number}/{part}"), parts[part].Single(), Parts, $"{part} of step {number}");
    }

    private void CheckNet(string prefix, Classifier net)
    {
        double[] expected = Arrays.Doubles(prefix), sums = Arrays.Doubles($"{prefix}_sums");
        int place = 0, tensor = 0;
        foreach (var array in net.State().Where(a => a.Shape.Length > 0).OrderBy(a => a.Name, StringComparer.Ordinal))
        {
            float[] whole = array.ToFloats(), part = whole.Length <= WholeUpTo ? whole : [.. whole.Where((_, i) => i % Stride == 0)];
            // CURE's revision network looks at batches only, so its own statistics mean nothing.
            if (prefix == "weight" || !_name.StartsWith("cure", StringComparison.Ordinal)
                || !array.Name.Contains("running", StringComparison.Ordinal))
            {
                Compare(expected.AsSpan(place, part.Length), part, $"{prefix} {array.Name}");
                CompareSums(sums.AsSpan(2 * tensor, 2), whole, $"{prefix} {array.Name}");
            }
            (place, tensor) = (place + part.Length, tensor + 1);
        }
        Assert.Equal(expected.Length, place);
    }

    private static void CompareSums(ReadOnlySpan<double> expected, float[] whole, string what)
    {
        double scale = Math.Sqrt(expected[1]), allowed = Weights * Math.Max(scale, 1e-2) * Math.Sqrt(whole.Length);
        Assert.True(Math.Abs(whole.Sum(v => (double)v) - expected[0]) <= allowed, $"sum of {what}");
    }

    private static void Compare(ReadOnlySpan<double> expected, float[] actual, string what)
    {
        double largest = 1e-2;
        foreach (double value in expected) largest = Math.Max(largest, Math.Abs(value));
        for (int i = 0; i < actual.Length; i++)
            Assert.True(Math.Abs(expected[i] - actual[i]) <= Weights * largest,
                $"{what}[{i}] is {actual[i]:R} instead of {expected[i]:R}, of at most {largest:G3}");
    }

    private static void Near(double expected, double actual, double tolerance, string what) =>
        Assert.True(Math.Abs(expected - actual) <= tolerance * Math.Max(Math.Abs(expected), 1e-3),
        $"{what} is {actual:R} instead of {expected:R}");

    private void Estimate(BatchStatistics statistics)
    {
        int first = 5 * _images.Length / _count;
        statistics.Add(_images.AsSpan(0, first));
        statistics.Add(_images.AsSpan(first));
        statistics.Finish();
    }

    // The start is stored, or follows from the formula: which one, the attack of the method says.
    private Tensor? Start(int number)
    {
        if (Arrays.Has($"extra{number}/start"))
            return Tensor.From(Net.Device, Net.InputShape.WithBatch(_count), Arrays.Floats($"extra{number}/start"));
        double eps = Arrays.Number("setting/eps"), kind = Given("start", Kind());
        double[] noise = [.. Uniform($"noise{number}").Select(u => 2 * u - 1)];
        float[] start = [.. _images.Zip(noise, (x, u) =>
            (float)(kind == 0 ? Math.Clamp(x + eps * u, 0, 1) : x + eps / (kind == 1 ? 2 : 1) * u))];
        return _name == "clean" ? null : Tensor.From(Net.Device, Net.InputShape.WithBatch(_count), start);
    }

    // 0 in the ball, 1 next to the image, 2 in the cube.
    private int Kind()
    {
        bool near = new[] { "trades", "mart", "mail", "cure" }.Any(method => _name.StartsWith(method, StringComparison.Ordinal));
        return near ? 1 : _name == "te" ? 2 : 0;
    }

    private double[] Uniform(string what) =>
        GoldenFill.Uniform(FormattableString.Invariant($"{_name}/{Arrays.Integers("attempt")[0]}/{what}"),
        _count * Net.InputShape.SampleCount);

    private static PreActResNet Build(Device device, string label)
    {
        PreActResNet net = new(device, new PreActResNetOptions
        { Input = new Shape(1, 3, 12, 12), Classes = 5, Width = 4, BlocksPerStage = 1 }, seed: 1);
        GoldenArrays.Fill(net, label);
        return net;
    }
}
