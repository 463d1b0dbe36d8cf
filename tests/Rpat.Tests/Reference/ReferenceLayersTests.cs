namespace Rpat.Tests.Reference;

public class ReferenceLayersTests
{
    private static readonly Array4 _x = Array4.Uniform(2, 3, 5, 4, seed: 1);

    [Fact]
    public void Relu_stops_the_gradient_at_zero_and_below()
    {
        Array4 x = Array4.From(1, 1, 1, 3, -1, 0, 2), dy = Array4.From(1, 1, 1, 3, 5, 6, 7);
        Assert.Equal([0, 0, 2], ReferenceElementwise.Relu(x).Data);
        Assert.Equal([0, 0, 7], ReferenceElementwise.ReluBackward(x, dy).Data);
    }

    [Fact]
    public void Normalisation_uses_one_pair_per_channel()
    {
        double[] mean = [.1, .2, .3], deviation = [.5, 2, .25];
        Array4 y = ReferenceElementwise.Normalise(_x, mean, deviation), dy = Array4.Uniform(2, 3, 5, 4, seed: 2);
        Assert.Equal((_x[1, 2, 4, 3] - .3) / .25, y[1, 2, 4, 3], 1e-12);
        Array4 dx = ReferenceElementwise.NormaliseBackward(dy, deviation);
        NumericalGradient.AssertGradient(p => ReferenceElementwise.Normalise(p, mean, deviation).Dot(dy), _x, dx, 1e-7);
    }

    [Fact]
    public void Interpolation_meets_both_ends()
    {
        Array4 other = Array4.Uniform(2, 3, 5, 4, seed: 3);
        Assert.Equal(_x.Data, ReferenceElementwise.Lerp(_x, other, 0).Data);
        Assert.True(Array4.RelativeMaxError(other, ReferenceElementwise.Lerp(_x, other, 1)) < 1e-15);
    }

    [Fact]
    public void Global_average_is_the_mean_of_every_map()
    {
        Assert.Equal(_x.Sample(1)[20..40].ToArray().Average(), ReferencePooling.GlobalAverage(_x)[1, 1, 0, 0], 1e-12);
    }

    [Fact]
    public void Pools_reproduce_a_known_case()
    {
        Array4 x = Array4.From(1, 1, 3, 3, -1, -2, -3, -4, -5, -6, -7, -8, -9);
        Assert.Equal([-1, -2, -4, -5], ReferencePooling.Max(x, 2, new Window(1)).Data);
        Assert.Equal([-1, -2, -4, -5], ReferencePooling.Max(x, 2, new Window(2, 1)).Data);
    }

    [Fact]
    public void Max_pooling_gives_a_tie_to_the_first()
    {
        Array4 dx = ReferencePooling.MaxBackward(new Array4(1, 1, 2, 2), Array4.From(1, 1, 1, 1, 3), 2, new Window(2));
        Assert.Equal([3, 0, 0, 0], dx.Data);
    }

    [Fact]
    public void A_linear_layer_is_a_one_by_one_convolution()
    {
        Array4 x = Array4.Uniform(3, 5, 1, 1, seed: 1), w = Array4.Uniform(4, 5, 1, 1, seed: 2);
        double[] bias = [1, 2, 3, 4];
        Assert.True(Array4.RelativeMaxError(ReferenceConv2d.Forward(x, w, bias), ReferenceLinear.Forward(x, w, bias)) < 1e-15);
    }
}
