using Xunit.Sdk;

namespace Rpat.Tests.Reference;

public class NumericalGradientTests
{
    private static readonly Array4 _at = Array4.Uniform(1, 2, 3, 4, seed: 1);

    [Fact]
    public void The_gradient_of_a_cubic_is_found_everywhere()
    {
        Array4 numerical = NumericalGradient.Of(CubeSum, _at);
        Assert.True(Array4.RelativeMaxError(_at.Map(v => 3 * v * v), numerical) < 1e-8);
        NumericalGradient.AssertGradient(CubeSum, _at, _at.Map(v => 3 * v * v), 1e-8);
    }

    [Fact]
    public void A_float_gradient_is_accepted_at_float_tolerance() =>
        NumericalGradient.AssertGradient(CubeSum, _at, _at.Map(v => 3 * v * v).ToFloats(), 1e-6);

    [Fact]
    public void A_wrong_entry_is_named_with_both_values()
    {
        Array4 wrong = _at.Map(v => 3 * v * v);
        wrong[0, 1, 2, 3] = 5;
        string message = Assert.Throws<XunitException>(() => NumericalGradient.AssertGradient(CubeSum, _at, wrong)).Message;
        Assert.Contains("[0, 1, 2, 3] is 5,", message);
    }

    [Fact]
    public void A_nan_fails()
    {
        Array4 wrong = _at.Map(v => 3 * v * v);
        wrong.Data[3] = double.NaN;
        Assert.Throws<XunitException>(() => NumericalGradient.AssertGradient(CubeSum, _at, wrong));
    }

    [Fact]
    public void A_gradient_of_another_length_fails() =>
        Assert.Throws<XunitException>(() => NumericalGradient.AssertGradient(() => 0, new double[3], new double[2]));

    [Fact]
    public void A_large_argument_is_sampled_and_left_as_it_was()
    {
        double[] values = [.. Enumerable.Range(0, 10_000).Select(i => i * 0.001)];
        double[] before = [.. values];
        int calls = 0;
        NumericalGradient.AssertGradient(
            () =>
            {
                calls++;
                return values[17] + 2 * values[5000];
            },
            values, [.. values.Select((_, i) => i switch { 17 => 1.0, 5000 => 2.0, _ => 0.0 })], maxEntries: 50);
        Assert.Equal(100, calls);
        Assert.Equal(before, values);
    }

    private static double CubeSum(Array4 x) => x.Map(v => v * v * v).Sum();
}
