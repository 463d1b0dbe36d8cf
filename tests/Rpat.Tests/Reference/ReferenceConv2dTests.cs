namespace Rpat.Tests.Reference;

public class ReferenceConv2dTests
{
    [Fact]
    public void A_known_case_is_reproduced()
    {
        Array4 x = Array4.From(1, 1, 3, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9);
        Array4 w = Array4.From(1, 1, 2, 2, 1, 0, 0, -1);
        Assert.Equal([-4 + .5, -4 + .5, -4 + .5, -4 + .5], ReferenceConv2d.Forward(x, w, [.5]).Data);
        Assert.Equal([1, 3, 7, 9], ReferenceConv2d.Forward(x, Array4.From(1, 1, 1, 1, 1), null, new Window(2)).Data);
        Assert.Equal([-1, -2, -3, 0, -4, -4, -4, 3, -7, -4, -4, 6, 0, 7, 8, 9], ReferenceConv2d.Forward(x, w, null, new Window(1, 1)).Data);
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
