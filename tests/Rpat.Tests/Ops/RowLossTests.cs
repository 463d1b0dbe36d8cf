using Rpat.Robust.Losses;
using Rpat.Tests.Reference;

namespace Rpat.Tests.Ops;

/// <summary>How losses of logits are recorded, and that they stay finite; what each computes is in <see cref="RowLossCases"/>.</summary>
public class RowLossTests
{
    private const double Tolerance = 2e-6;

    /// <summary>Through a tape: labels, weights and the mean.</summary>
    [Fact]
    public void Marts_weighted_divergence_with_the_weights_gradient()
    {
        const int n = 6, k = 17;
        Array4 z = Array4.Normal(n, k, 1, 1, seed: 1, deviation: 2), t = Array4.Normal(n, k, 1, 1, seed: 2, deviation: 2);
        int[] labels = [.. Enumerable.Range(0, n).Select(i => (7 * i + 1) % k)];
        float[] weights = [.. Enumerable.Range(0, n).Select(i => 0.25f + i)];
        var probe = LossProbe.Run([z, t], labels, (tape, x, y) => tape.RowLoss("term", new MartDivergence(), x[0], new()
        {
            Second = x[1],
            Labels = y,
            Weights = Tensor.From(tape.Device, new Shape(1, n), weights),
        }));
        LossProbe.AssertNear(Values(z, t), probe.Values, Tolerance);
        NumericalGradient.AssertGradient(x => Values(x, t).Average(), z, probe.Gradients[0], Tolerance);
        NumericalGradient.AssertGradient(x => Values(z, x).Average(), t, probe.Gradients[1], Tolerance);

        double[] Values(Array4 a, Array4 b) =>
            [.. Enumerable.Range(0, n).Select(i =>
            weights[i] * ReferenceRowLosses.Mart(b.Sample(i).ToArray(), a.Sample(i).ToArray(), labels[i]))];
    }

    [Fact]
    public void What_a_loss_does_not_put_is_zero_on_the_host_too()
    {
        float[] gradient = [7, 7, 7];
        Assert.Equal(2, new OneLogit().Evaluate([1, 2, 3], [], 1, gradient));
        Assert.Equal([0f, 1, 0], gradient);
    }

    [Fact]
    public void Halves_of_one_batch_are_the_two_rows_of_a_pair()
    {
        Array4 both = Array4.Normal(6, 5, 1, 1, seed: 4, deviation: 2);
        Array4 first = both.Samples([0, 1, 2]), second = both.Samples([3, 4, 5]);
        var term = new JensenShannon(0.5f);
        var pair = LossProbe.Run([first, second], (tape, z) => tape.RowLoss("jsd", term, z[0], new() { Second = z[1] }));
        var halves = LossProbe.Run([both], (tape, z) => tape.RowLoss("jsd", term, z[0], new() { Halves = true }));
        Assert.Equal(pair.Values, halves.Values);
        Assert.Equal([.. pair.Gradients[0], .. pair.Gradients[1]], halves.Gradients[0]);
    }

    [Fact]
    public void Without_weights_the_cross_entropies_agree()
    {
        Array4 z = Array4.Normal(4, 9, 1, 1, seed: 5, deviation: 3);
        int[] labels = [3, 0, 8, 8];
        var op = LossProbe.Run([z], labels, (tape, x, y) => tape.CrossEntropy(x[0], y));
        var term = LossProbe.Run([z], labels, (tape, x, y) => tape.RowLoss("ce", new CrossEntropy(), x[0], new() { Labels = y }));
        Assert.Equal(op.Values, term.Values);
        LossProbe.AssertNear(Array.ConvertAll(op.Gradients[0], g => (double)g), term.Gradients[0]);
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(1e6)]
    public void Values_and_gradients_stay_finite_where_probabilities_underflow(double size)
    {
        Array4 z = Array4.Uniform(5, 8, 1, 1, seed: 6, -size, size), t = Array4.Uniform(5, 8, 1, 1, seed: 7, -size, size);
        int[] labels = [0, 1, 2, 3, 7];
        LossProbe[] probes =
        [
            LossProbe.Run([z, t], (tape, x) => tape.RowLoss("kl", new KlDivergence(0.5f), x[0], new() { Second = x[1] })),
            LossProbe.Run([z, t], (tape, x) => tape.RowLoss("jsd", new JensenShannon(0.5f), x[0], new() { Second = x[1] })),
            LossProbe.Run([z, t], labels, (tape, x, y) => tape.RowLoss("mart", new MartDivergence(), x[0], new()
                { Second = x[1], Labels = y })),
            LossProbe.Run([z], labels, (tape, x, y) => tape.RowLoss("bce", new Complement(), x[0], new() { Labels = y })),
            LossProbe.Run([z], labels, (tape, x, y) => tape.RowLoss("ovr", new OneVsRest(), x[0], new() { Labels = y })),
        ];
        foreach (var probe in probes)
        {
            Assert.All(probe.Values, v => Assert.True(float.IsFinite(v)));
            Assert.All(probe.Gradients.SelectMany(g => g), v => Assert.True(float.IsFinite(v)));
        }
    }

    [Fact]
    public void What_does_not_fit_is_refused_by_the_losss_name()
    {
        Array4 z = Array4.Uniform(3, 5, 1, 1, seed: 1), t = Array4.Uniform(3, 6, 1, 1, seed: 1);
        var size = Assert.Throws<ShapeException>(() =>
            LossProbe.Run([z, t], (tape, x) => tape.RowLoss("kl", new KlDivergence(1), x[0], new() { Second = x[1] })));
        Assert.Equal("KlDivergence: input [3, 5] and input [3, 6] differ in size.", size.Message);
        var halves = Assert.Throws<ShapeException>(
            () => LossProbe.Run([z], (tape, x) => tape.RowLoss("jsd", new JensenShannon(1), x[0], new() { Halves = true })));
        Assert.Equal("JensenShannon: input [3, 5] has no two halves.", halves.Message);
        Assert.Throws<ShapeException>(() => LossProbe.Run([z], [0, 1, 5],
            (tape, x, y) => tape.RowLoss("ce", new CrossEntropy(), x[0], new() { Labels = y })));
    }
}
