using Rpat.Engine;
using Rpat.Robust.Losses;
using Rpat.Tests.Reference;

namespace Rpat.Tests.Ops;

/// <summary>Every loss of logits: values against the reference's formula, gradients against its differences (methods.md 2.6).</summary>
public class RowLossTests
{
    private const double Tolerance = 2e-6;

    public static TheoryData<int, int> Sizes => new() { { 1, 2 }, { 3, 5 }, { 6, 17 } };

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Weighted_cross_entropy(int n, int k) => Check(n, k, new CrossEntropy(), (z, _, y) => ReferenceRowLosses.CrossEntropy(z, y));

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Soft_cross_entropy(int n, int k) =>
        Check(n, k, new SoftCrossEntropy(), (z, t, _) => ReferenceRowLosses.SoftCrossEntropy(z, t), Second.Probabilities);

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Complement_of_the_likeliest_wrong_class(int n, int k) =>
        Check(n, k, new Complement(), (z, _, y) => ReferenceRowLosses.Complement(z, y));

    [Theory]
    [InlineData(1)]
    [InlineData(0.5f)]
    [InlineData(0.3f)]
    public void Divergence_with_both_gradients_at_a_scale(float scale) =>
        Check(4, 7, new KlDivergence(scale), (z, t, _) => ReferenceRowLosses.Kl(t, z, scale), Second.Logits);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void Distillation_at_a_temperature(float temperature) =>
        Check(4, 7, new KlDivergence(1 / temperature, temperature * temperature, crossEntropy: true),
            (z, t, _) => ReferenceRowLosses.Distillation(t, z, temperature), Second.Constants);

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Marts_weighted_divergence_with_the_weights_gradient(int n, int k) =>
        Check(n, k, new MartDivergence(), (z, t, y) => ReferenceRowLosses.Mart(t, z, y), Second.Logits);

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Squared_probability(int n, int k) =>
        Check(n, k, new SquaredProbability(), (z, t, _) => ReferenceRowLosses.SquaredProbability(z, t), Second.Probabilities);

    [Theory]
    [InlineData(1)]
    [InlineData(0.5f)]
    public void Jensen_Shannon_of_two_rows(float temperature) =>
        Check(4, 6, new JensenShannon(temperature), (z, t, _) => ReferenceRowLosses.JensenShannon(z, t, temperature), Second.Logits);

    [Theory]
    [MemberData(nameof(Sizes))]
    public void One_against_the_rest(int n, int k) => Check(n, k, new OneVsRest(), (z, _, y) => ReferenceRowLosses.OneVsRest(z, y));

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Soft_logit_margin(int n, int k) => Check(n, k, new SoftMargin(), (z, _, y) => ReferenceRowLosses.SoftMargin(z, y));

    [Fact]
    public void Halves_of_one_batch_are_the_two_rows_of_a_pair()
    {
        Array4 both = Array4.Normal(6, 5, 1, 1, seed: 4, deviation: 2);
        Array4 first = Slices.Samples(both, [0, 1, 2]), second = Slices.Samples(both, [3, 4, 5]);
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
            LossProbe.Run([z, t], labels, (tape, x, y) => tape.RowLoss("mart", new MartDivergence(), x[0], new() { Second = x[1], Labels = y })),
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
        var size = Assert.Throws<ShapeException>(() => LossProbe.Run([z, t], (tape, x) => tape.RowLoss("kl", new KlDivergence(1), x[0], new() { Second = x[1] })));
        Assert.Equal("KlDivergence: input [3, 5] and input [3, 6] differ in size.", size.Message);
        var halves = Assert.Throws<ShapeException>(() => LossProbe.Run([z], (tape, x) => tape.RowLoss("jsd", new JensenShannon(1), x[0], new() { Halves = true })));
        Assert.Equal("JensenShannon: input [3, 5] has no two halves.", halves.Message);
        Assert.Throws<ShapeException>(() => LossProbe.Run([z], [0, 1, 5], (tape, x, y) => tape.RowLoss("ce", new CrossEntropy(), x[0], new() { Labels = y })));
    }

    private enum Second
    {
        None,
        Logits,
        Constants,
        Probabilities,
    }

    /// <summary>Value and gradients with labels and weights, against the reference.</summary>
    private static void Check<TTerm>(int n, int k, TTerm term, Func<double[], double[], int, double> reference, Second second = Second.None)
        where TTerm : struct, IRowLoss
    {
        Array4 z = Array4.Normal(n, k, 1, 1, seed: 10 * n + k, deviation: 2), t = Array4.Normal(n, k, 1, 1, seed: 20 * n + k, deviation: 2);
        if (second == Second.Probabilities) t = Rounded(ReferenceSoftmax.Softmax(t));
        int[] labels = [.. Enumerable.Range(0, n).Select(i => (7 * i + 1) % k)];
        float[] weights = [.. Enumerable.Range(0, n).Select(i => 0.25f + i)];
        var probe = LossProbe.Run([z, t], labels, (tape, x, y) => tape.RowLoss("term", term, x[0], new()
        {
            Second = second == Second.None ? null : x[1],
            Detach = second != Second.Logits,
            Labels = y,
            Weights = Tensor.From(tape.Device, new Shape(1, n), weights),
        }));
        LossProbe.AssertNear(Values(z, t), probe.Values, Tolerance);
        NumericalGradient.AssertGradient(x => Values(x, t).Average(), z, probe.Gradients[0], Tolerance);
        if (second == Second.Logits) NumericalGradient.AssertGradient(x => Values(z, x).Average(), t, probe.Gradients[1], Tolerance);
        else Assert.All(probe.Gradients[1], g => Assert.Equal(0, g));

        double[] Values(Array4 a, Array4 b) =>
            [.. Enumerable.Range(0, n).Select(i => weights[i] * reference(a.Sample(i).ToArray(), b.Sample(i).ToArray(), labels[i]))];
    }

    private static Array4 Rounded(Array4 a) => a.Map(v => (float)v);
}
