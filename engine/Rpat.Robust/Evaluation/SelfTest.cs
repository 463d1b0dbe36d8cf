using System.Collections.Concurrent;

namespace Rpat.Robust.Evaluation;

/// <summary>One comparison of the self-test.</summary>
/// <param name="Name">What was attacked and by which attack.</param>
/// <param name="Passed">Whether the attack reached the optimum.</param>
/// <param name="Finding">The result, in one line.</param>
public sealed record SelfTestCase(string Name, bool Passed, string Finding);

/// <summary>
/// The attacks that an evaluation uses, tried on nets whose worst case is known exactly (attacks.md 4.1, 4.2). It takes about a second
/// and runs before a process's first evaluation on a device, so that an attack weakened by a wrong kernel does not pass for robustness.
/// </summary>
public sealed record SelfTest(IReadOnlyList<SelfTestCase> Cases)
{
    private const int Images = 16, Classes = 10;
    private static readonly Shape _image = new(1, 3, 8, 8);
    private static readonly ConcurrentDictionary<string, SelfTest> _known = [];

    /// <summary>Whether all attacks reached their optimum.</summary>
    public bool Passed => Cases.All(c => c.Passed);

    /// <summary>One per missed optimum.</summary>
    internal IEnumerable<EvaluationWarning> Warnings => Cases.Where(c => !c.Passed).Select(c => new EvaluationWarning(
        "self-test", $"{c.Name} missed a known optimum ({c.Finding}): this build or device computes attacks wrongly, trust no number."));

    /// <summary>What it gave on a device; it runs once per process and device.</summary>
    internal static SelfTest Of(Device device) => _known.GetOrAdd($"{device.Name} {device.Description}", _ => Run(device));

    /// <summary>Runs it.</summary>
    public static SelfTest Run(Device device)
    {
        var linear = new Subjects(new Dense(device, _image, hidden: 0, Classes), Images);
        var relu = new Subjects(new Dense(device, new Shape(1, 2), hidden: 6, classes: 3), 12);
        return new SelfTest(
        [
            RobustSet(linear, Norm.Linf, 0.012), RobustSet(linear, Norm.L2, 0.14),
            RobustSet(linear, Norm.L1, 1), MinimumNorms(linear, Norm.Linf), MinimumNorms(linear, Norm.L2),
            WorstMargins(relu, new PgdAttack { Loss = AttackLoss.Margin, Eps = 0.1, StepSize = 0.0025, Steps = 100, Restarts = 10 }),
            WorstMargins(relu, Apgd.CrossEntropy with { Eps = 0.1, Restarts = 10, BestLoss = true, StopAtSuccess = false }),
        ]);
    }

    /// <summary>AutoAttack must succeed on exactly the vulnerable images of a linear net.</summary>
    private static SelfTestCase RobustSet(Subjects s, Norm norm, double eps)
    {
        var optima = s.Net.Linear();
        var broken = new HashSet<long>();
        foreach (var attack in AutoAttack.Standard(norm, eps, Classes).Attacks)
            broken.UnionWith(s.Attack(attack is Square square ? square with { Steps = 100 } : attack).Where(o => o.Fooled)
                .Select(o => o.Index));
        int wrong = Enumerable.Range(0, Images).Count(
            i => optima.WorstMargin(s.ImageOf(i), s.Labels[i], norm, eps) > 0 == broken.Contains(i));
        return new SelfTestCase(
            $"AutoAttack {norm.Name}, linear net", wrong == 0,
            FormattableString.Invariant($"{wrong} of {Images} images differ from the exact robust set"));
    }

    /// <summary>FAB must come within one percent of the exact smallest perturbation.</summary>
    private static SelfTestCase MinimumNorms(Subjects s, Norm norm)
    {
        var optima = s.Net.Linear();
        var ratios = s.Attack(new Fab { Norm = norm, Eps = 10, Steps = 40 })
            .Select((o, i) => norm.Distance(o.Image, s.ImageOf(i)) / optima.MinimumNorm(s.ImageOf(i), s.Labels[i], norm)).ToArray();
        return new SelfTestCase(
            $"FAB {norm.Name}, linear net", ratios.All(r => r is > 1 - 1e-5 and < 1.01),
            FormattableString.Invariant($"norms are {ratios.Min():F4} to {ratios.Max():F4} of the exact smallest"));
    }

    /// <summary>An attack with restarts must reach the worst margin of a ReLU net of two inputs, and never exceed it.</summary>
    private static SelfTestCase WorstMargins(Subjects s, Attack attack)
    {
        var oracle = s.Net.Oracle();
        double least = double.PositiveInfinity, most = double.NegativeInfinity;
        foreach (var o in s.Attack(attack))
        {
            int i = (int)o.Index;
            double exact = oracle.WorstMargin(s.ImageOf(i), s.Labels[i], attack.Eps);
            if (exact <= 0) continue; // an attack that succeeds stops before the optimum
            double beyond = oracle.Margin(o.Image[0], o.Image[1], s.Labels[i]) - exact;
            (least, most) = (Math.Min(least, beyond), Math.Max(most, beyond));
        }
        return new SelfTestCase(
            $"{attack.Name}, ReLU net", least > -1e-6 && most < 1e-3,
            FormattableString.Invariant($"margins end {least:0.0e+0} to {most:0.0e+0} above the exact optimum"));
    }

    /// <summary>Images, and the classes that a net predicts for them.</summary>
    private sealed class Subjects
    {
        private readonly float[] _images;

        public Subjects(Dense net, int count)
        {
            Net = net;
            _images = new float[count * net.InputShape.SampleCount];
            new RandomKey(1, Purpose.Synthetic, 0, 0, 0, 0).Stream().FillUniform(_images);
            Labels = new int[count];
            Tensor x = Tensor.From(net.Device, net.InputShape.WithBatch(count), _images);
            Tape tape = new(net.Device);
            Tensor z = tape.Retain(net.Forward(tape, x, BnMode.Eval));
            tape.Forward();
            float[] logits = z.ToArray();
            for (int i = 0; i < count; i++) Labels[i] = Predictions.ArgMax(logits.AsSpan(i * net.Classes, net.Classes));
        }

        public Dense Net { get; }
        public int[] Labels { get; }

        public float[] ImageOf(int i) => _images.AsSpan(i * Net.InputShape.SampleCount, Net.InputShape.SampleCount).ToArray();

        public AttackOutcome[] Attack(Attack attack)
        {
            using AttackRunner runner = new(Net, new() { Batch = 64 });
            return runner.Perturb(attack, _images, Labels);
        }
    }

    /// <summary>A linear net, or one with a hidden ReLU layer.</summary>
    private sealed class Dense : Classifier
    {
        private readonly List<(Parameter Weight, Parameter Bias)> _layers = [];

        public Dense(Device device, Shape image, int hidden, int classes) : base(device, image, classes)
        {
            int inputs = image.SampleCount;
            if (hidden > 0) _layers.Add(DeclareLinear("hidden", hidden, inputs));
            _layers.Add(DeclareLinear("linear", classes, hidden > 0 ? hidden : inputs));
            Build(seed: 1);
            Widen(hidden > 0 ? 4 : 3.5f);
        }

        public LinearOptima Linear() => LinearOptima.Of(_layers[0].Weight.ToArray(), _layers[0].Bias.ToArray());

        public ReluOracle Oracle() => new(
            _layers[0].Weight.ToArray(), _layers[0].Bias.ToArray(), _layers[1].Weight.ToArray(), _layers[1].Bias.ToArray());

        protected override Tensor Record(Tape tape, Tensor x, BnMode bn)
        {
            Tensor h = tape.Flatten(x);
            for (int i = 0; i < _layers.Count; i++)
            {
                h = tape.Linear(h, _layers[i].Weight, _layers[i].Bias);
                if (i < _layers.Count - 1) h = tape.Relu(h);
            }
            return h;
        }

        // The usual initial weights are so small that all logits are nearly equal.
        private void Widen(float factor)
        {
            foreach (var (weight, _) in _layers) weight.Upload(Array.ConvertAll(weight.ToArray(), v => factor * v));
            Parameters.BumpVersion();
        }
    }
}
