namespace Rpat.Tests.Reference;

public class ReferenceConv2dTests
{
    // n, c, h, w, out, kernel, stride, padding, groups: tails, odd sizes, strides, 1×1, first layer, grouped and depthwise.
    public static TheoryData<int, int, int, int, int, int, int, int, int> Cases => new()
    {
        { 2, 3, 6, 5, 4, 3, 1, 1, 1 },
        { 1, 1, 5, 5, 2, 3, 2, 1, 1 },
        { 2, 4, 7, 6, 3, 1, 2, 0, 1 },
        { 1, 2, 8, 8, 2, 5, 3, 2, 1 },
        { 1, 4, 6, 6, 6, 3, 1, 1, 2 },
        { 2, 3, 7, 7, 3, 3, 2, 1, 3 },
        { 1, 2, 4, 4, 2, 2, 2, 0, 1 },
    };

    [Fact]
    public void A_known_case_is_reproduced()
    {
        Array4 x = Array4.From(1, 1, 3, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9);
        Array4 w = Array4.From(1, 1, 2, 2, 1, 0, 0, -1);
        Assert.Equal([-4 + .5, -4 + .5, -4 + .5, -4 + .5], ReferenceConv2d.Forward(x, w, [.5]).Data);
        Assert.Equal([1, 3, 7, 9], ReferenceConv2d.Forward(x, Array4.From(1, 1, 1, 1, 1), null, new Window(2)).Data);
        Assert.Equal([-1, -2, -3, 0, -4, -4, -4, 3, -7, -4, -4, 6, 0, 7, 8, 9], ReferenceConv2d.Forward(x, w, null, new Window(1, 1)).Data);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_gradients_match_differences(int n, int c, int h, int w, int k, int kernel, int stride, int padding, int groups)
    {
        Window window = new(stride, padding, groups);
        Array4 x = Array4.Uniform(n, c, h, w, seed: 1), weight = Array4.Uniform(k, c / groups, kernel, kernel, seed: 2);
        double[] bias = Array4.Uniform(1, k, 1, 1, seed: 3).Data;
        Array4 y = ReferenceConv2d.Forward(x, weight, bias, window);
        Array4 dy = Array4.Uniform(y.N, y.C, y.H, y.W, seed: 4);
        double Loss(Array4 input, Array4 weights) => ReferenceConv2d.Forward(input, weights, bias, window).Dot(dy);

        NumericalGradient.AssertGradient(p => Loss(p, weight), x, ReferenceConv2d.InputGradient(x, weight, dy, window), 1e-7);
        NumericalGradient.AssertGradient(p => Loss(x, p), weight, ReferenceConv2d.WeightGradient(x, weight, dy, window), 1e-7);
        NumericalGradient.AssertGradient(() => Loss(x, weight), bias, ReferenceConv2d.BiasGradient(dy), 1e-7);
    }

    [Fact]
    public void Groups_are_separate_convolutions()
    {
        Array4 x = Array4.Uniform(2, 2, 5, 5, seed: 1), w = Array4.Uniform(2, 1, 3, 3, seed: 2);
        Array4 y = ReferenceConv2d.Forward(x, w, null, new Window(1, 1, 2));
        Array4 x1 = Array4.From(1, 1, 5, 5, x.Sample(1)[25..]), w1 = Array4.From(1, 1, 3, 3, w.Sample(1));
        Assert.Equal(y.Sample(1)[25..].ToArray(), ReferenceConv2d.Forward(x1, w1, null, new Window(1, 1)).Data);
    }

    [Fact]
    public void Weights_for_other_channels_are_refused() =>
        Assert.Throws<ArgumentException>(() => ReferenceConv2d.Forward(new Array4(1, 3, 4, 4), new Array4(2, 4, 3, 3)));
}
