namespace Rpat.Tests.IO;

public sealed class LabeledImagesTests
{
    private static readonly string[] _classes = ["a", "b", "c"];

    private static LabeledImages Set(int count = 6) => new(
        "set", 2, 3, 4, [.. Enumerable.Range(0, count * 24).Select(i => (byte)(i * 5))],
        [.. Enumerable.Range(0, count).Select(i => i % 3)], _classes);

    [Fact]
    public void FloatsAreValuesDividedBy255InThatOrder()
    {
        LabeledImages set = Set();
        var floats = new float[2 * set.ImageSize];
        set.CopyFloats([4, 1], floats);
        for (int i = 0; i < floats.Length; i++) Assert.Equal(set.Image(i < 24 ? 4 : 1)[i % 24] / 255f, floats[i]);
    }

    [Fact]
    public void EveryByteDividesExactly()
    {
        var set = new LabeledImages("all", 1, 16, 16, [.. Enumerable.Range(0, 256).Select(i => (byte)i)], [0], ["x"]);
        var floats = new float[256];
        set.CopyFloats([0], floats);
        Assert.Equal(Enumerable.Range(0, 256).Select(i => i / 255f), floats);
    }

    [Fact]
    public void TakeAndSubsetKeepImagesWithTheirLabels()
    {
        LabeledImages set = Set(), two = set.Take(2), picked = set.Subset([5, 0, 5]);
        Assert.Equal((2, 6, 0), (two.Count, set.Take(99).Count, set.Take(0).Count));
        Assert.Equal([0, 1], two.Labels);
        Assert.Equal([2, 0, 2], picked.Labels);
        Assert.Equal(set.Image(5), picked.Image(2));
        Assert.Throws<ArgumentOutOfRangeException>(() => set.Subset([6]));
        Assert.Throws<ArgumentOutOfRangeException>(() => set.Take(-1));
    }

    [Fact]
    public void FirstOfEachClassKeepsTheOrderOfTheSet()
    {
        var set = new LabeledImages("set", 1, 1, 1, new byte[7], [2, 2, 0, 2, 1, 1, 0], _classes);
        Assert.Equal([0, 1, 2, 4, 5, 6], set.FirstOfEachClass(2));
        string message = Assert.Throws<DataException>(() => set.FirstOfEachClass(3)).Message;
        Assert.Contains("2 images of class 'a'", message, StringComparison.Ordinal);
    }

    [Fact]
    public void MisfitsAreRefused()
    {
        Assert.Contains("label 3 at image 1", Refused(() => new("s", 1, 1, 2, new byte[4], [0, 3], _classes)), StringComparison.Ordinal);
        Assert.Contains("5 pixels for 2 labels", Refused(() => new("s", 1, 1, 2, new byte[5], [0, 1], _classes)), StringComparison.Ordinal);
        Assert.Contains("impossible size", Refused(() => new("s", 0, 1, 2, [], [], _classes)), StringComparison.Ordinal);
        Assert.Contains("impossible size", Refused(() => new("s", 65536, 65536, 2, [], [], _classes)), StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Set().CopyFloats([0], new float[25]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Set().CopyFloats([-1], new float[24]));
    }

    private static string Refused(Func<LabeledImages> make) => Assert.Throws<DataException>(make).Message;
}
