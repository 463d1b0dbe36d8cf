using Rpat.Engine;
using Rpat.Tests.Reference;

namespace Rpat.Tests.Ops;

public class WeightPerturbationTests
{
    [Theory]
    [InlineData(1, 0.01f)]
    [InlineData(37, 0.5f)]
    [InlineData(20_000, 0.005f)]
    public void The_move_has_gamma_times_the_weights_length_along_the_gradient(int count, float gamma)
    {
        double[] w = Array4.Normal(1, count, 1, 1, seed: 1).Data, g = Array4.Normal(1, count, 1, 1, seed: 2, deviation: 1e-3).Data;
        var (moved, move) = Perturb(w, g, gamma);
        double rate = gamma * Length(w) / (Length(g) + 1e-20);
        LossProbe.AssertNear([.. g.Select(v => rate * v)], move, 1e-6);
        LossProbe.AssertNear([.. w.Zip(g, (a, b) => a + rate * b)], moved, 1e-6);
        Assert.InRange(Length([.. move.Select(v => (double)v)]), gamma * Length(w) * (1 - 1e-5), gamma * Length(w) * (1 + 1e-5));
    }

    [Fact]
    public void A_gradient_of_zero_moves_nothing()
    {
        double[] w = [1, -2, 3];
        var (moved, move) = Perturb(w, [0, 0, 0], 0.1f);
        Assert.Equal([1f, -2, 3], moved);
        Assert.Equal([0f, 0, 0], move);
    }

    private static (float[] Moved, float[] Move) Perturb(double[] w, double[] g, float gamma)
    {
        using var device = Device.Cpu(2);
        Tensor Of(double[] values) => Tensor.From(device, new Shape(1, values.Length), Array.ConvertAll(values, v => (float)v));
        Tensor weights = Of(w), gradients = Of(g), move = Of(new double[w.Length]);
        device.Kernels.PerturbWeights(w.Length, weights.Data, gradients.Data, gamma, move.Data);
        return (weights.ToArray(), move.ToArray());
    }

    private static double Length(double[] v) => Math.Sqrt(v.Sum(x => x * x));
}
