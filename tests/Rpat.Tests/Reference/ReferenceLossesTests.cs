namespace Rpat.Tests.Reference;

public class ReferenceLossesTests
{
    private static readonly Array4 _a = Array4.Normal(3, 5, 1, 1, seed: 1, deviation: 2);
    private static readonly Array4 _b = Array4.Normal(3, 5, 1, 1, seed: 2, deviation: 2);
    private static readonly int[] _labels = [4, 0, 2];

    [Fact]
    public void Equal_logits_cost_the_log_of_the_classes() =>
        Assert.Equal(Math.Log(5), ReferenceCrossEntropy.Mean(new Array4(3, 5, 1, 1), _labels), 1e-12);

    [Fact]
    public void Huge_logits_stay_finite()
    {
        Array4 logits = Array4.From(1, 3, 1, 1, 1e4, 0, -1e4);
        Assert.Equal(2e4, ReferenceCrossEntropy.Mean(logits, [2]));
        Assert.Equal(1, ReferenceSoftmax.Softmax(logits).Sum(), 1e-12);
        Assert.All(ReferenceKl.MeanGradientA(logits, logits.Map(z => -z)).Data, value => Assert.True(double.IsFinite(value)));
    }

    [Fact]
    public void The_cross_entropy_gradients_match_differences()
    {
        Array4 targets = ReferenceSoftmax.Softmax(_b);
        NumericalGradient.AssertGradient(
            z => ReferenceCrossEntropy.Mean(z, _labels), _a, ReferenceCrossEntropy.MeanGradient(_a, _labels), 1e-7);
        NumericalGradient.AssertGradient(
            z => ReferenceCrossEntropy.Mean(z, targets), _a, ReferenceCrossEntropy.MeanGradient(_a, targets), 1e-7);
    }

    [Fact]
    public void The_divergence_gradients_match_differences()
    {
        NumericalGradient.AssertGradient(z => ReferenceKl.Mean(z, _b), _a, ReferenceKl.MeanGradientA(_a, _b), 1e-7);
        NumericalGradient.AssertGradient(z => ReferenceKl.Mean(_a, z), _b, ReferenceKl.MeanGradientB(_a, _b), 1e-7);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void The_divergence_is_positive_and_zero_only_for_equal_distributions(int seed)
    {
        Array4 a = Array4.Normal(8, 10, 1, 1, seed), b = Array4.Normal(8, 10, 1, 1, seed + 100);
        Assert.All(ReferenceKl.PerSample(a, b), kl => Assert.True(kl > 0));
        // Adding a constant to all logits changes no distribution.
        Assert.All(ReferenceKl.PerSample(a, a.Map(z => z + 3)), kl => Assert.Equal(0, kl, 1e-12));
    }

    [Fact]
    public void Cross_entropy_with_soft_targets_is_divergence_plus_entropy()
    {
        Array4 targets = ReferenceSoftmax.Softmax(_a);
        double entropy = ReferenceCrossEntropy.Mean(_a, targets);
        Assert.Equal(ReferenceKl.Mean(_a, _b) + entropy, ReferenceCrossEntropy.Mean(_b, targets), 1e-12);
    }
}
