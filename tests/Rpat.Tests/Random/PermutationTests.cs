using FsCheck;
using FsCheck.Fluent;

namespace Rpat.Tests.Randomness;

public sealed class PermutationTests
{
    [Fact]
    public void EveryNumberOccursOnce() => Prop.ForAll(Gen.Choose(0, 500).ToArbitrary(), n =>
        Permutation.Of(n, (ulong)n, n).Order().SequenceEqual(Enumerable.Range(0, n))).QuickCheckThrowOnFailure();

    [Fact]
    public void SeedEpochAndPurposeDecideAlone()
    {
        int[] order = Permutation.Of(100, 1, 2);
        Assert.Equal(order, Permutation.Of(100, 1, 2));
        Assert.NotEqual(order, Permutation.Of(100, 2, 2));
        Assert.NotEqual(order, Permutation.Of(100, 1, 3));
        Assert.NotEqual(order, Permutation.Of(100, 1, 2, Purpose.Split));
        var filled = new int[100];
        Permutation.Fill(filled, 1, 2);
        Assert.Equal(order, filled);
    }

    // 24 orders of 4, 1000 expected of each; 23 degrees of freedom: standard deviation 6.8.
    [Fact]
    public void EveryOrderIsEquallyLikely()
    {
        var counts = new Dictionary<string, int>();
        for (int epoch = 0; epoch < 24_000; epoch++)
        {
            string order = string.Join(' ', Permutation.Of(4, 9, epoch));
            counts[order] = counts.GetValueOrDefault(order) + 1;
        }

        Assert.Equal(24, counts.Count);
        Assert.InRange(counts.Values.Sum(count => (count - 1000.0) * (count - 1000.0) / 1000), 3, 57);
    }
}
