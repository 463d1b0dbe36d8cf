using Rpat.Models;
using Rpat.Tests.Models;
using Rpat.Tests.Ops;
using Rpat.Tests.Reference;

namespace Rpat.Tests.Robust;

/// <summary>z = Wx + b on flat images: what an attack can reach on it is known in closed form (attacks.md 4.1).</summary>
internal sealed class LinearNet : Classifier
{
    private readonly (Parameter Weight, Parameter Bias) _linear;

    public LinearNet(Device device, double[] weight, double[] bias, string name = "linear")
        : base(device, new Shape(1, weight.Length / bias.Length), bias.Length)
    {
        _linear = DeclareLinear(name, bias.Length, weight.Length / bias.Length);
        Build(seed: 1);
        _linear.Weight.Upload(Array.ConvertAll(weight, v => (float)v));
        _linear.Bias.Upload(Array.ConvertAll(bias, v => (float)v));
        Parameters.BumpVersion();
    }

    protected override Tensor Record(Tape tape, Tensor x, BnMode bn) => tape.Linear(x, _linear.Weight, _linear.Bias);
}

/// <summary>A small net, batches of random images, and training steps on them.</summary>
internal static class TestNets
{
    public static readonly Shape Image = new(1, 3, 12, 12);

    public static PreActResNet Small(Device device, int width = 8, ulong seed = 1) =>
        new(device, new PreActResNetOptions { Input = Image, Classes = 5, Width = width, BlocksPerStage = 1 }, seed);

    /// <summary>As <see cref="Small"/> with statistics, γ and β that differ from their first values.</summary>
    public static PreActResNet Disturbed(Device device)
    {
        PreActResNet net = Small(device);
        ModelState.Disturb(net, seed: 3);
        return net;
    }

    public static float[] Images(int n, int seed) =>
        Array4.Uniform(n, Image.C, Image.H, Image.W, seed, -0.2, 1.2).Map(v => Math.Clamp(v, 0, 1)).ToFloats();

    public static int[] ClassesOf(int n) => [.. Enumerable.Range(0, n).Select(i => (3 * i + 1) % 5)];

    public static long[] Indices(int n, int first = 100) => [.. Enumerable.Range(first, n).Select(i => (long)i)];

    public static RandomKey Key => new(5, Purpose.AttackStart, 1, 0, 0, 0);

    /// <summary>Trains a fresh net for some steps of four images and returns the net's state and each step's loss.</summary>
    public static (NamedArray[] State, double[] Losses) Train(
        Device device, Objective objective, int steps = 3, int epoch = 1, int width = 8)
    {
        PreActResNet net = Small(device, width);
        TrainingStep step = new(net, objective, new Sgd(net.Parameters, 0.9f, 5e-4f), seed: 7);
        var losses = new double[steps];
        for (int i = 0; i < steps; i++)
        {
            step.Run(Images(4, seed: 10 + i), ClassesOf(4), Indices(4, 4 * i), epoch, rate: 0.1f);
            losses[i] = step.Loss.Read();
        }
        return ([.. net.State()], losses);
    }

    /// <summary>Weights and statistics of another backend, of which signs of small gradients did not flip.</summary>
    public static void AssertClose(NamedArray[] expected, NamedArray[] actual)
    {
        Array4 Values(NamedArray array) => Array4.FromFloats(1, array.ToFloats().Length, 1, 1, array.ToFloats());
        foreach (var (a, b) in expected.Zip(actual))
            if (!a.Name.EndsWith("num_batches_tracked", StringComparison.Ordinal))
                OpGraph.AssertClose(Values(a), Values(b), new Tolerance(1e-3, 1e-7), a.Name);
    }

    public static void SameBits(NamedArray[] expected, NamedArray[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        foreach (var (a, b) in expected.Zip(actual)) Assert.True(a.Data.Span.SequenceEqual(b.Data.Span), $"{a.Name} differs.");
    }

    public static bool Differ(NamedArray[] one, NamedArray[] other) =>
        one.Zip(other).Any(pair => !pair.First.Data.Span.SequenceEqual(pair.Second.Data.Span));
}
