using Rpat.Models;
using Rpat.Robust.Methods;
using Rpat.Robust.Modifiers;
using Rpat.Tests.Golden;
using Rpat.Tests.Ops;

namespace Rpat.Tests.Robust;

/// <summary>Two training steps of PGD-AT + RPAT against PyTorch's numbers in double precision (Golden/README.md).</summary>
public sealed class GoldenStepTests
{
    // Largest error over largest entry. PyTorch itself in float32 stays below 3e-6, 4e-6, 3e-6, 2e-6 and 7e-7. The perception term is
    // the square of a difference of logits that agree to two digits, which multiplies their error by a hundred.
    private const double Logits = 2e-5, Gradients = 5e-5, Losses = 5e-6, Perception = 1e-4, Weights = 1e-5, Statistics = 5e-6;

    private static readonly string[] _views = ["between", "clean", "adversarial"];
    private static readonly GoldenArrays _golden = GoldenArrays.Step;

    public static TheoryData<ConvolutionAlgorithm> Algorithms => [ConvolutionAlgorithm.Auto, ConvolutionAlgorithm.Direct];

    private static PgdOptions Attack
    {
        get
        {
            double[] s = _golden.Doubles("settings");
            return new PgdOptions { Eps = (float)s[0], StepSize = (float)s[1], Steps = (int)s[2] };
        }
    }

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void The_attack_arrives_at_PyTorchs_images_up_to_one_rounding(ConvolutionAlgorithm algorithm)
    {
        using var device = Device.Cpu(2, algorithm);
        PreActResNet net = Net(device);
        Tensor x = Images(net, "images"), start = Start(net);
        Tensor found = new Pgd(net, Attack).Perturb(x, Labels.From(device, Classes), TestNets.Key, TestNets.Indices(4), start);
        float[] expected = _golden.Floats("adversarial"), actual = found.ToArray();
        for (int i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - actual[i]) <= 6e-8f, $"[{i}] is {actual[i]:R} instead of {expected[i]:R}");
    }

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void The_gradient_at_the_attacks_start_is_PyTorchs(ConvolutionAlgorithm algorithm)
    {
        using var device = Device.Cpu(2, algorithm);
        PreActResNet net = Net(device);
        Tensor x = Tensor.From(device, net.InputShape.WithBatch(4), Start(net).ToArray(), needsGrad: true);
        Tape tape = new(device, Engine.Autograd.Gradients.Inputs);
        tape.CrossEntropy(net.Forward(tape, x, BnMode.Eval), Labels.From(device, Classes));
        tape.Run();
        LossProbe.AssertNear(_golden.Doubles("input_gradient"), x.GradToArray(), 1e-5);
    }

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void Two_steps_on_PyTorchs_adversarial_images(ConvolutionAlgorithm algorithm) =>
        TwoSteps(algorithm, Attack with { IsNoise = true }, net => Images(net, "adversarial"));

    [Fact]
    public void A_whole_step_from_PyTorchs_start_of_the_attack_on_every_instruction_set()
    {
        foreach (CpuSetup setup in CpuSetup.Most)
        {
            using var device = setup.Open();
            PreActResNet net = Net(device);
            TrainingStep step = Step(net, Attack);
            Run(step, Start(net));
            Check(net, step, number: 1);
        }
    }

    private static void TwoSteps(ConvolutionAlgorithm algorithm, PgdOptions attack, Func<PreActResNet, Tensor> start)
    {
        using var device = Device.Cpu(2, algorithm);
        PreActResNet net = Net(device);
        TrainingStep step = Step(net, attack);
        for (int number = 1; number <= 2; number++)
        {
            Run(step, start(net));
            Check(net, step, number);
        }
    }

    private static void Check(PreActResNet net, TrainingStep step, int number)
    {
        CheckOutputs(step, number);
        if (number == 1) CheckGradients(net);
        CheckWeights(net, number);
        CheckStatistics(net, number);
    }

    private static void CheckOutputs(TrainingStep step, int number)
    {
        LossTerm term = step.Loss.Terms.Single();
        for (int i = 0; i < _views.Length; i++)
            LossProbe.AssertNear(_golden.Doubles($"logits{number}/{_views[i]}"), term.Inputs[2 - i].Tensor.ToArray(), Logits);
        Assert.Same(step.Logits, term.Inputs[0].Tensor);
        LossProbe.AssertNear(_golden.Number($"loss{number}/ce"), term.ReadPart(0), Losses);
        LossProbe.AssertNear(_golden.Number($"loss{number}/rpat"), term.ReadPart(1), Perception);
        LossProbe.AssertNear(_golden.Number($"loss{number}/total"), step.Loss.Read(), Losses);
    }

    private static void CheckGradients(PreActResNet net)
    {
        Assert.Equal(_golden.NamesIn("gradient/").Order(), net.Parameters.Parameters.Select(p => p.Name).Order());
        foreach (var p in net.Parameters.Parameters)
        {
            double[] expected = _golden.Doubles($"gradient/{p.Name}");
            float[] actual = p.GradToArray();
            double error = Math.Sqrt(expected.Zip(actual, (e, a) => (e - a) * (e - a)).Sum()), norm = Math.Sqrt(expected.Sum(e => e * e));
            Assert.True(error <= Gradients * norm, $"{p.Name}: error {error / norm:E2} of the norm");
            LossProbe.AssertNear(expected, actual, Gradients);
        }
    }

    private static void CheckWeights(PreActResNet net, int number)
    {
        foreach (var p in net.Parameters.Parameters)
        {
            float[] whole = p.ToArray();
            bool sampled = _golden.Has($"weight{number}_sums/{p.Name}");
            float[] stored = sampled ? [.. whole.Where((_, i) => i % 32 == 0)] : whole;
            LossProbe.AssertNear(_golden.Doubles($"weight{number}/{p.Name}"), stored, Weights);
            if (sampled) CheckSums(_golden.Doubles($"weight{number}_sums/{p.Name}"), whole);
        }
    }

    // The sum of n entries is compared with the size that n entries of random sign add up to.
    private static void CheckSums(double[] expected, float[] whole)
    {
        double scale = Math.Sqrt(expected[1]);
        Assert.InRange(whole.Sum(v => (double)v), expected[0] - Weights * scale, expected[0] + Weights * scale);
        LossProbe.AssertNear(expected[1], whole.Sum(v => (double)v * v), Weights);
    }

    private static void CheckStatistics(PreActResNet net, int number)
    {
        long tracked = _golden.Integers($"batches_tracked{number}").Single();
        foreach (var norm in net.BatchNorms)
        {
            foreach (var statistic in new[] { norm.RunningMean, norm.RunningVar })
                LossProbe.AssertNear(_golden.Doubles($"statistics{number}/{statistic.Name}"), statistic.ToArray(), Statistics);
            Assert.Equal(tracked, norm.BatchesTracked);
        }
    }

    private static PreActResNet Net(Device device)
    {
        PreActResNet net = new(device, new PreActResNetOptions { Input = new Shape(1, 3, 16, 16), Width = 8 }, seed: 1);
        GoldenArrays.Fill(net, "w8");
        return net;
    }

    private static TrainingStep Step(PreActResNet net, PgdOptions attack)
    {
        float[] s = _golden.Floats("settings");
        Objective objective = new PgdAt(attack).With(new RobustPerception { Weight = s[4], Alpha = s[3] });
        return new TrainingStep(net, objective, new Sgd(net.Parameters, s[6], s[7]), seed: 1);
    }

    private static void Run(TrainingStep step, Tensor start) =>
        step.Run(_golden.Floats("images"), Classes, TestNets.Indices(4), epoch: 1, _golden.Floats("settings")[5], start);

    private static int[] Classes => _golden.Integers("labels");

    private static Tensor Images(Classifier net, string name) => Tensor.From(net.Device, net.InputShape.WithBatch(4), _golden.Floats(name));

    private static Tensor Start(PreActResNet net)
    {
        float[] start = [.. _golden.Floats("images").Zip(_golden.Floats("noise"), (x, d) => Math.Clamp(x + d, 0f, 1f))];
        return Tensor.From(net.Device, net.InputShape.WithBatch(4), start);
    }
}
