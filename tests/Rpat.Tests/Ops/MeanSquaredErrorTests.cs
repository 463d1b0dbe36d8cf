using Rpat.Engine;
using Rpat.Tests.Reference;

namespace Rpat.Tests.Ops;

public class MeanSquaredErrorTests
{
    [Theory]
    [InlineData("small")]
    [InlineData("large")]
    [InlineData("wide")]
    public void Value_and_both_gradients_are_PyTorchs(string @case) =>
        LossProbe.Run(LossProbe.Golden(@case, "clean", "adversarial"), (tape, z) => tape.MeanSquaredError(z[0], z[1]))
            .AssertGolden(@case, "mse", "clean", "adversarial");

    [Fact]
    public void Both_gradients_follow_the_reference()
    {
        Array4 a = Array4.Normal(3, 7, 1, 1, seed: 1, deviation: 3), b = Array4.Normal(3, 7, 1, 1, seed: 2, deviation: 3);
        var probe = LossProbe.Run([a, b], (tape, z) => tape.MeanSquaredError(z[0], z[1]));
        LossProbe.AssertNear(ReferenceMse.Mean(a, b), probe.Value);
        NumericalGradient.AssertGradient(x => ReferenceMse.Mean(x, b), a, probe.Gradients[0], 1e-6);
        NumericalGradient.AssertGradient(x => ReferenceMse.Mean(a, x), b, probe.Gradients[1], 1e-6);
    }

    [Fact]
    public void A_tensor_and_itself_have_no_error()
    {
        Array4 a = Array4.Normal(3, 7, 1, 1, seed: 3);
        var probe = LossProbe.Run([a], (tape, z) => tape.MeanSquaredError(z[0], z[0]));
        Assert.Equal(0, probe.Value);
        Assert.All(probe.Gradients[0], g => Assert.Equal(0f, g));
    }

    [Fact]
    public void Another_size_is_refused_by_name()
    {
        var error = Assert.Throws<ShapeException>(() => LossProbe.Run(
            [Array4.Uniform(3, 5, 1, 1, seed: 1), Array4.Uniform(2, 5, 1, 1, seed: 1)], (tape, z) => tape.MeanSquaredError(z[0], z[1])));
        Assert.Equal("MeanSquaredError: input [3, 5] and input [2, 5] differ in size.", error.Message);
    }
}
