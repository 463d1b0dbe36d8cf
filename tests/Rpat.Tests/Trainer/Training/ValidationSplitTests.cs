namespace Rpat.Tests.Trainer.Training;

public class ValidationSplitTests
{
    [Fact]
    public void TheLastImagesOfEachClassAreHeldOutInItsShare()
    {
        var images = Set([0, 0, 0, 0, 0, 0, 1, 1, 1, 2]);
        var (train, heldOut) = ValidationSplit.Of(images, 4);
        Assert.Equal([3, 4, 5, 8], heldOut.Pixels.Select(pixel => (int)pixel));
        Assert.Equal([0, 0, 0, 1], heldOut.Labels);
        Assert.Equal([0, 1, 2, 6, 7, 9], train.Pixels.Select(pixel => (int)pixel));
    }

    [Theory]
    [InlineData(0.02, 1000, 20)]
    [InlineData(300, 1000, 300)]
    [InlineData(0, 1000, 0)]
    public void ANumberBelowOneIsAShare(double wanted, int images, int expected) =>
        Assert.Equal(expected, ValidationSplit.CountOf(wanted, images));

    [Fact]
    public void SomethingMustBeLeft() =>
        Assert.Contains("hold out fewer", Assert.Throws<ConfigException>(() => ValidationSplit.Of(Set([0, 1]), 2)).Message);

    // The pixel of an image is its number.
    private static LabeledImages Set(int[] labels) =>
        new("set", 1, 1, 1, [.. Enumerable.Range(0, labels.Length).Select(i => (byte)i)], labels, ["a", "b", "c"]);
}
