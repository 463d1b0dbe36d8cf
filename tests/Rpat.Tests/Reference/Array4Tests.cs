namespace Rpat.Tests.Reference;

public class Array4Tests
{
    [Fact]
    public void The_last_index_runs_fastest()
    {
        Array4 x = Array4.From(2, 3, 4, 5, [.. Enumerable.Range(0, 120).Select(i => (double)i)]);
        Assert.Equal(119, x[1, 2, 3, 4]);
        Assert.Equal(60 + 20 + 5 + 1, x[1, 1, 1, 1]);
        Assert.Equal(60, x.Sample(1)[0]);
    }

    [Fact]
    public void Floats_survive_the_round_trip()
    {
        Array4 x = Array4.Uniform(2, 3, 4, 5, seed: 1);
        Assert.Equal(x.Data, Array4.FromFloats(2, 3, 4, 5, x.ToFloats()).Data);
    }

    [Fact]
    public void The_same_seed_gives_the_same_values_in_range()
    {
        Array4 x = Array4.Uniform(4, 4, 8, 8, seed: 7, low: 0.25, high: 0.5);
        Assert.Equal(x.Data, Array4.Uniform(4, 4, 8, 8, seed: 7, low: 0.25, high: 0.5).Data);
        Assert.NotEqual(x.Data, Array4.Uniform(4, 4, 8, 8, seed: 8, low: 0.25, high: 0.5).Data);
        Assert.All(x.Data, value => Assert.InRange(value, 0.25, 0.5));
    }

    [Fact]
    public void Normal_values_have_their_moments()
    {
        Array4 x = Array4.Normal(10, 10, 10, 10, seed: 1, deviation: 2);
        Assert.InRange(x.Sum() / x.Length, -0.06, 0.06);
        Assert.InRange(x.Dot(x) / x.Length, 3.8, 4.2);
    }

    [Fact]
    public void Errors_are_relative_to_the_reference()
    {
        Array4 reference = Array4.From(1, 1, 1, 2, 3, 4), actual = Array4.From(1, 1, 1, 2, 3, 5);
        Assert.Equal(1.0 / 25, Array4.Nmse(reference, actual));
        Assert.Equal(1.0 / 4, Array4.RelativeMaxError(reference, actual));
        Assert.Equal(0, Array4.Nmse(reference.Like(), reference.Like()));
        Assert.Equal(double.PositiveInfinity, Array4.RelativeMaxError(reference.Like(), actual));
    }

    [Fact]
    public void A_nan_is_never_a_small_error()
    {
        Array4 reference = Array4.From(1, 1, 1, 3, 1, 2, 3), actual = Array4.From(1, 1, 1, 3, 1, double.NaN, 3);
        Assert.True(double.IsNaN(Array4.Nmse(reference, actual)));
        Assert.True(double.IsNaN(Array4.RelativeMaxError(reference, actual)));
    }

    [Fact]
    public void Shapes_that_disagree_are_refused()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => new Array4(1, 2, 1, 1).Dot(new Array4(2, 1, 1, 1)));
        Assert.Contains("(1, 2, 1, 1)", error.Message);
        Assert.Throws<ArgumentException>(() => Array4.From(1, 1, 1, 2, 1, 2, 3));
    }
}
