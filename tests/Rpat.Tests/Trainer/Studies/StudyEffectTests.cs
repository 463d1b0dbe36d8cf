using Rpat.Trainer.Output;
using Rpat.Trainer.Studies;

namespace Rpat.Tests.Trainer.Studies;

public sealed class StudyEffectTests
{
    // scipy.stats.t.ppf
    [Theory]
    [InlineData(0.975, 1, 12.706204736432095)]
    [InlineData(0.975, 2, 4.302652729911275)]
    [InlineData(0.975, 4, 2.7764451051977987)]
    [InlineData(0.975, 9, 2.2621571627409915)]
    [InlineData(0.8, 2, 1.0606601717798212)]
    [InlineData(0.8, 4, 0.9409645769)]
    public void QuantilesOfStudentsT(double share, int freedom, double value) =>
        Assert.Equal(value, StudentT.Quantile(share, freedom), 1e-6);

    // If all images agree, the error is that of a mean of as many numbers.
    [Theory]
    [InlineData(0, 1)]
    [InlineData(0, 1, 1)]
    [InlineData(-1, 0, 1, 1, 0)]
    public void TheErrorHasThatOfTheSeeds(params int[] seeds) => Assert.Equal(
        Spread.Of([.. seeds.Select(value => (double)value)]).Deviation / Math.Sqrt(seeds.Length),
        StudyEffect.Bootstrap([.. seeds.Select(value => Enumerable.Repeat(value, 50).ToArray())], 20_000), 0.01);

    // Drawing 100 images of which half differ: sqrt(0.25 / 100).
    [Fact]
    public void TheErrorHasThatOfTheImages()
    {
        int[] half = [.. Enumerable.Range(0, 100).Select(i => i % 2)];
        Assert.Equal(0.05, StudyEffect.Bootstrap([half, half, half], 4000), 0.002);
    }

    [Fact]
    public void OneSeedHasNoError() => Assert.True(double.IsNaN(StudyEffect.Bootstrap([[1, 0, 1]], 10)));

    // t with two degrees of freedom times 1 / sqrt(3).
    [Fact]
    public void TheIntervalOfAMean()
    {
        Assert.Equal(4.302652729911275 / Math.Sqrt(3), StudyEffect.Reach(Spread.Of([1, 2, 3])), 1e-6);
        Assert.True(double.IsNaN(StudyEffect.Reach(Spread.Of([1]))));
    }

    // Differences of 1/4 and 3/4 of four images, seed by seed; a seed that only one variant has is left out.
    [Fact]
    public void VariantsAreComparedOnTheSeedsThatBothHave()
    {
        var effect = StudyEffect.Of(
            [Row(1, "1111"), Row(2, "1110"), Row(3, "0000")], [Row(2, "0000"), Row(1, "0111")], StudyRecord.Robust)!;
        Assert.Equal(0.5, effect.Difference, 12);
        Assert.Equal([(1L, 1, 0), (2L, 3, 0)], effect.Tests.Select(test => (test.Seed, test.Test.OnlyFirst, test.Test.OnlySecond)));
        Assert.Equal(effect.Difference - 12.706204736432095 * effect.Error, effect.Interval.Low, 1e-6);
        Assert.Equal((12.706204736432095 + 1.3763819204711736) * effect.Error, effect.Detectable, 1e-6);
        Assert.Null(StudyEffect.Of([Row(1, "1")], [Row(2, "1")], StudyRecord.Robust));
    }

    private static StudyRecord Row(int seed, string right) => new(new Dictionary<string, string> { ["seed"] = $"{seed}" },
        new Dictionary<string, bool[]> { [StudyRecord.Robust] = [.. right.Select(c => c == '1')] });
}
