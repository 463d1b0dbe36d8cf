namespace Rpat.Tests.Golden;

/// <summary>Pins the parameter formula to numbers that make_golden.py computes, so that both languages build the same network.</summary>
public class GoldenFillTests
{
    [Fact]
    public void UniformNumbersAreThoseOfTheScript()
    {
        Assert.Equal([1710702.0, 14154769, 5796840], Scaled("w8/images", 3));
        Assert.Equal([12812668.0, 1051866], Scaled("", 2));
    }

    [Theory]
    [InlineData("conv1.weight", new[] { 8, 3, 3, 3 }, 0.0064415177f, -0.15128708f, 0.061974533f)]
    [InlineData("layer1.0.bn1.weight", new[] { 8 }, 1.1480973f, 0.5766243f, 0.61779577f)]
    [InlineData("layer1.0.bn1.bias", new[] { 8 }, -0.065020114f, -0.24796268f, -0.04375881f)]
    [InlineData("layer2.0.shortcut.0.weight", new[] { 16, 8, 1, 1 }, -0.10941651f, 0.23211947f, 0.1457744f)]
    [InlineData("layer4.1.bn2.running_mean", new[] { 64 }, -0.03649375f, 0.016261727f, -0.030072063f)]
    [InlineData("layer4.1.bn2.running_var", new[] { 64 }, 0.79399765f, 0.9396349f, 0.5151798f)]
    [InlineData("linear.weight", new[] { 10, 64 }, -0.108010724f, 0.05471602f, 0.0050622225f)]
    [InlineData("linear.bias", new[] { 10 }, 0.12296869f, 0.04718165f, 0.08613692f)]
    public void ValuesAreThoseOfTheScript(string name, int[] shape, float first, float second, float last)
    {
        float[] values = GoldenFill.Values("w8", name, shape, linearInputs: 64);
        Assert.Equal(shape.Aggregate(1, (product, size) => product * size), values.Length);
        Assert.Equal([first, second, last], [values[0], values[1], values[^1]]);
    }

    static double[] Scaled(string key, int count) => Array.ConvertAll(GoldenFill.Uniform(key, count), u => u * (1 << 24));
}
