namespace Rpat.Tests.Trainer.Errors;

public class DidYouMeanTests
{
    [Theory]
    [InlineData("", "", 0)]
    [InlineData("eps", "", 3)]
    [InlineData("eps", "esp", 1)]
    [InlineData("kitten", "sitting", 3)]
    [InlineData("abcd", "acbd", 1)]
    [InlineData("ca", "abc", 3)]
    public void DistanceCountsEditsAndSwaps(string a, string b, int expected)
    {
        Assert.Equal(expected, DidYouMean.Distance(a, b));
        Assert.Equal(expected, DidYouMean.Distance(b, a));
    }

    [Fact]
    public void FindsTheClosestName() => Assert.Equal("cifar10", DidYouMean.Find("cifra10", ["cifar100", "cifar10", "fashion-mnist"]));

    [Fact]
    public void DoesNotGuessWhenNothingIsClose() => Assert.Null(DidYouMean.Find("imagenet", ["cifar10", "fashion-mnist"]));

    [Theory]
    [InlineData("gpu", "eps", null)]
    [InlineData("pgd", "fgm", null)]
    [InlineData("n", "o", null)]
    [InlineData("lr", "log", null)]
    [InlineData("esp", "eps", "eps")]
    [InlineData("l3", "l2", "l2")]
    public void ShortNamesHaveShortTypos(string typed, string name, string? found) => Assert.Equal(found, DidYouMean.Find(typed, [name]));

    [Fact]
    public void HintListsTheNames() => Assert.Equal("choose one of: a1, b2.", DidYouMean.Hint("something", ["a1", "b2"], "names"));
}
