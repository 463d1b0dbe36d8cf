using Rpat.Tests.Golden;
using Rpat.Tests.Reference;

namespace Rpat.Tests.Ops;

/// <summary>Runs one loss on logits that carry gradients, and keeps its value, its samples' values and every gradient.</summary>
internal sealed record LossProbe(double Value, float[] Values, float[][] Gradients)
{
    /// <summary>Error of a value or of a gradient's largest entry that one rounding to float32 explains.</summary>
    public const double Rounding = 1.5e-7;

    public static LossProbe Run(Array4[] logits, Func<Tape, Tensor[], Loss> record)
    {
        using var device = Device.Cpu(1);
        Tensor[] z = Array.ConvertAll(logits, a => Tensor.From(device, new Shape(a.N, a.C, a.H, a.W), a.ToFloats(), needsGrad: true));
        var tape = new Tape(device, Engine.Autograd.Gradients.Inputs);
        Loss loss = record(tape, z);
        tape.Run();
        return new LossProbe(loss.Read(), loss.Terms[0].Values.ToArray(), Array.ConvertAll(z, t => DeviceRun.Gradient(t).ToFloats()));
    }

    /// <summary>As <see cref="Run(Array4[], Func{Tape, Tensor[], Loss})"/>, with labels.</summary>
    public static LossProbe Run(Array4[] logits, int[] labels, Func<Tape, Tensor[], Labels, Loss> record) =>
        Run(logits, (tape, z) => record(tape, z, Labels.From(tape.Device, labels)));

    /// <summary>The golden logits of a case, in the order of the names.</summary>
    public static Array4[] Golden(string @case, params string[] names) => Array.ConvertAll(names, name =>
    {
        var (n, c, h, w) = GoldenArrays.Losses.Shape($"{@case}/{name}");
        return Array4.FromFloats(n, c, h, w, GoldenArrays.Losses.Floats($"{@case}/{name}"));
    });

    /// <summary>Compares value and gradients with the golden numbers of a loss.</summary>
    public void AssertGolden(string @case, string loss, params string[] names)
    {
        AssertNear(GoldenArrays.Losses.Number($"{@case}/{loss}"), Value);
        for (int i = 0; i < names.Length; i++) AssertNear(GoldenArrays.Losses.Doubles($"{@case}/{loss}/d_{names[i]}"), Gradients[i]);
    }

    public static void AssertNear(double expected, double actual, double tolerance = Rounding) =>
        Assert.True(Math.Abs(expected - actual) <= tolerance * Math.Max(Math.Abs(expected), 1e-30), $"{actual:R} instead of {expected:R}");

    /// <summary>Every entry within a share of the largest one.</summary>
    public static void AssertNear(double[] expected, float[] actual, double tolerance = Rounding)
    {
        Assert.Equal(expected.Length, actual.Length);
        double allowed = tolerance * expected.Max(Math.Abs) + 1e-30;
        for (int i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - actual[i]) <= allowed, $"[{i}] is {actual[i]:R} instead of {expected[i]:R}");
    }
}
