using Rpat.Engine;
using Rpat.Engine.IO;
using Rpat.Engine.Nn;
using Rpat.Engine.Optim;
using Rpat.Models;
using Rpat.Robust;
using Rpat.Tests.Golden;
using Rpat.Tests.Ops;

namespace Rpat.Tests.Robust;

/// <summary>
/// Two training steps of every method against PyTorch's in double precision, which were written from the methods' definitions alone
/// (Golden/README.md): losses, weights, running statistics, averaged networks.
/// </summary>
public sealed class GoldenMethodTests
{
    // Largest error over largest entry; PyTorch's own float32 run stays below 2e-5 in all of them. Parts that are small differences of
    // large numbers (the divergence of near distributions, the perception term) are wider.
    private const double Totals = 2e-5, Parts = 5e-4, Weights = 2e-5;
    private const int WholeUpTo = 1024, Stride = 32;

    private static readonly Dictionary<string, Func<Case, Objective>> _objectives = new()
    {
        ["clean"] = _ => new Clean(),
        ["noise"] = c => new Noise(c.Attack),
        ["pgd-at"] = c => new PgdAt(c.Attack),
        ["pgd-at-l2"] = c => new PgdAt(c.Attack),
        ["pgd-at+rpat"] = c => c.Rpat(new PgdAt(c.Attack)),
        ["pgd-at+rpat-quotient"] = c => c.Rpat(new PgdAt(c.Attack)) with { Form = PerceptionForm.DifferenceQuotient },
        ["trades"] = c => new Trades(c.Attack, c["beta"]),
        ["trades-l2"] = c => new Trades(c.Attack, c["beta"]),
        ["trades+rpat"] = c => c.Rpat(new Trades(c.Attack, c["beta"])),
        ["mart"] = c => new Mart(c.Attack, c["beta"]),
        ["mart+rpat"] = c => c.Rpat(new Mart(c.Attack, c["beta"])),
        ["consistency-at"] = c => new ConsistencyAt(c.Attack, c["weight"], c["temperature"]),
        ["consistency-at+rpat"] = c => c.Rpat(new ConsistencyAt(c.Attack, c["weight"], c["temperature"])),
        ["wa"] = c => new Wa(c.Attack) { Average = new EmaAveraging(c["ema"]) },
        ["rebat"] = c => new ReBat(c.Attack, c["beta"]) { Average = new EmaAveraging(c["ema"]) },
        ["rebat-train"] = c => new ReBat(c.Attack, c["beta"]) { Average = new EmaAveraging(c["ema"]) },
        ["rpat++"] = c => new RpatPlusPlus(c.Attack, c["beta"], c["alpha"]) { Average = new EmaAveraging(c["ema"]) },
        ["rpat++-l2"] = c => new RpatPlusPlus(c.Attack, c["beta"], c["alpha"]) { Average = new EmaAveraging(c["ema"]) },
        ["awp"] = c => new AwpAt(c.Attack) { Awp = new WeightPerturbation(c["gamma"]) },
        ["trades-awp"] = c => new Trades(c.Attack, c["beta"]) { Awp = new WeightPerturbation(c["gamma"], Start: 10) },
        ["gairat"] = c => new Gairat(c.Attack, c["big_lambda"]),
        ["ewat"] = c => new Ewat(c.Attack),
        ["mail-at"] = c => new MailAt(c.Attack, new MarginWeights(c["slope"], c["bias"])),
        ["mail-trades"] = c => new MailTrades(c.Attack, new MarginWeights(c["slope"], c["bias"]), c["beta"]),
        ["te"] = c => new Te(c.Attack, new RampCoefficient(300, 90, 60)),
        ["kd-swa"] = c => new KdSwa(c.Attack, c["own"], c["first"], c["second"], c["temperature"]),
        ["sovr"] = c => new Sovr(c.Attack, c["percent"] / 100, c["weight"]),
        ["adr"] = c => new Adr(c.Attack, new RectifiedTarget(c["temperature"], c["temperature"], c["rectify"], c["rectify"]))
        {
            Average = new EmaAveraging(c["ema"]),
        },
        ["cure"] = c => c.Cure(),
        ["cure-code"] = c => c.Cure(),
    };

    public static TheoryData<string> Names => [.. _objectives.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Two_steps_are_PyTorchs(string name)
    {
        using var device = Device.Cpu(2);
        Case golden = new(name, device);
        var step = golden.Step(_objectives[name](golden));
        for (int number = 1; number <= 2; number++)
        {
            golden.Run(step, number);
            golden.CheckLosses(step, number);
            golden.EndEpoch(step, number);
        }
        golden.CheckNet("weight", golden.Net);
        if (golden.Arrays.Has("average")) golden.CheckNet("average", step.Averaged!);
    }

    /// <summary>One golden file and the network that it is about.</summary>
    private sealed class Case
    {
        private readonly string _name;
        private readonly int _count;
        private readonly float[] _images;
        private readonly int[] _labels;

        public Case(string name, Device device)
        {
            (_name, Arrays) = (name, new GoldenArrays(Path.Combine("methods", name + ".npz")));
            _count = Arrays.Integers("batch")[0];
            _labels = Arrays.Integers("labels");
            Net = Build(device, "student");
            _images = [.. Uniform("images").Select(u => (float)u)];
        }

        public GoldenArrays Arrays { get; }

        public Classifier Net { get; }

        public PgdOptions Attack => new()
        {
            Norm = this["norm"] == 0 ? Norm.Linf : Norm.L2,
            Eps = this["eps"],
            StepSize = this["step"],
            Steps = (int)this["steps"],
            Bn = this["attack_train"] == 0 ? BnMode.Eval : BnMode.Train,
        };

        public float this[string setting] => (float)Arrays.Number($"setting/{setting}");

        public RpatObjective Rpat(Objective method) => new(method, this["lam"], this["alpha"]);

        public Cure Cure() => new(Attack, this["beta"], this["gamma"], this["percentile"], this["mix"], CodeForm: this["code"] == 1)
        {
            Average = new EmaAveraging(this["ema"], Statistics: false, WarmUp: true),
        };

        public TrainingStep Step(Objective objective)
        {
            Sgd sgd = new(Net.Parameters, this["momentum"], this["decay"], this["nesterov"] == 1);
            Dictionary<string, Classifier> teachers = new() { ["clean"] = Build(Net.Device, "teacher1"), ["robust"] = Build(Net.Device, "teacher2") };
            return new TrainingStep(Net, objective, sgd, seed: 1, new Companions { Twin = () => Build(Net.Device, "student"), Teachers = teachers });
        }

        public void Run(TrainingStep step, int number)
        {
            int n = step.TwoViews ? _count / 2 : _count;
            TrainingBatch batch = new() { Images = _images, Labels = _labels.AsSpan(0, n), Samples = TestNets.Indices(n, first: 0) };
            step.Run(batch, new Moment((int)this["epoch"], Step: number, Rate: this["rate"], TopRate: this["rate"]), Start(number));
        }

        public void EndEpoch(TrainingStep step, int number)
        {
            if (step.EndEpoch((int)this["epoch"]) is { } statistics && number == 2) Estimate(statistics);
        }

        public void CheckLosses(TrainingStep step, int number)
        {
            Near(Arrays.Number($"loss{number}/total"), step.Loss.Read(), Totals, $"total loss of step {number}");
            var parts = step.Loss.Terms.SelectMany(t => t.Parts.Select((part, i) => (part, Value: t.ReadPart(i)))).ToLookup(p => p.part, p => p.Value);
            foreach (string part in new[] { "ce", "rpat" }.Where(p => Arrays.Has($"loss{number}/{p}") && parts[p].Count() == 1))
                Near(Arrays.Number($"loss{number}/{part}"), parts[part].Single(), Parts, $"{part} of step {number}");
        }

        public void CheckNet(string prefix, Classifier net)
        {
            double[] expected = Arrays.Doubles(prefix), sums = Arrays.Doubles($"{prefix}_sums");
            int place = 0, tensor = 0;
            foreach (var array in net.State().Where(a => a.Shape.Length > 0).OrderBy(a => a.Name, StringComparer.Ordinal))
            {
                float[] whole = array.ToFloats(), part = whole.Length <= WholeUpTo ? whole : [.. whole.Where((_, i) => i % Stride == 0)];
                // CURE's revision network looks at batches only, so its own statistics mean nothing.
                if (prefix == "weight" || !_name.StartsWith("cure", StringComparison.Ordinal) || !array.Name.Contains("running", StringComparison.Ordinal))
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
                Assert.True(Math.Abs(expected[i] - actual[i]) <= Weights * largest, $"{what}[{i}] is {actual[i]:R} instead of {expected[i]:R}, of at most {largest:G3}");
        }

        private static void Near(double expected, double actual, double tolerance, string what) =>
            Assert.True(Math.Abs(expected - actual) <= tolerance * Math.Max(Math.Abs(expected), 1e-3), $"{what} is {actual:R} instead of {expected:R}");

        private void Estimate(BatchStatistics statistics)
        {
            int first = 5 * _images.Length / _count;
            statistics.Add(_images.AsSpan(0, first));
            statistics.Add(_images.AsSpan(first));
            statistics.Finish();
        }

        // The start follows from the formula: which one, the attack of the method says.
        private Tensor? Start(int number)
        {
            double eps = Arrays.Number("setting/eps");
            double[] noise = [.. Uniform($"noise{number}").Select(u => 2 * u - 1)];
            bool near = _name.StartsWith("trades", StringComparison.Ordinal) || _name.StartsWith("mart", StringComparison.Ordinal)
                || _name.StartsWith("mail", StringComparison.Ordinal) || _name.StartsWith("cure", StringComparison.Ordinal);
            float[] start = [.. _images.Zip(noise, (x, u) => near ? (float)(x + eps / 2 * u) : _name == "te" ? (float)(x + eps * u) : (float)Math.Clamp(x + eps * u, 0, 1))];
            return _name == "clean" ? null : Tensor.From(Net.Device, Net.InputShape.WithBatch(_count), start);
        }

        private double[] Uniform(string what) =>
            GoldenFill.Uniform(FormattableString.Invariant($"{_name}/{Arrays.Integers("attempt")[0]}/{what}"), _count * Net.InputShape.SampleCount);

        private static PreActResNet Build(Device device, string label)
        {
            PreActResNet net = new(device, new PreActResNetOptions { Input = new Shape(1, 3, 12, 12), Classes = 5, Width = 4, BlocksPerStage = 1 }, seed: 1);
            GoldenArrays.Fill(net, label);
            return net;
        }
    }
}
