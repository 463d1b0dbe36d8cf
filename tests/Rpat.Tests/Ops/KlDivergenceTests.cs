using Rpat.Tests.Reference;

namespace Rpat.Tests.Ops;

public class KlDivergenceTests
{
    [Theory]
    [InlineData("small")]
    [InlineData("large")]
    [InlineData("wide")]
    public void Both_directions_and_both_gradients_are_PyTorchs(string @case)
    {
        string[] names = ["clean", "adversarial"];
        Array4[] logits = LossProbe.Golden(@case, names);
        LossProbe.Run(logits, (tape, z) => tape.KlDivergence(z[0], z[1])).AssertGolden(@case, "kl_clean_adversarial", names);
        LossProbe.Run(logits, (tape, z) => tape.KlDivergence(z[1], z[0])).AssertGolden(@case, "kl_adversarial_clean", names);
    }

    [Fact]
    public void A_detached_target_gets_no_gradient()
    {
        Array4 t = Array4.Normal(3, 7, 1, 1, seed: 3), z = Array4.Normal(3, 7, 1, 1, seed: 4);
        var whole = LossProbe.Run([t, z], (tape, x) => tape.KlDivergence(x[0], x[1]));
        var detached = LossProbe.Run([t, z], (tape, x) => tape.KlDivergence(x[0], x[1], detachTarget: true));
        Assert.Equal(whole.Value, detached.Value);
        Assert.Equal(whole.Gradients[1], detached.Gradients[1]);
        Assert.All(detached.Gradients[0], g => Assert.Equal(0f, g));
    }

    [Fact]
    public void Equal_logits_do_not_diverge()
    {
        Array4 z = Array4.Normal(4, 10, 1, 1, seed: 5, deviation: 20);
        var probe = LossProbe.Run([z, z], (tape, x) => tape.KlDivergence(x[0], x[1], reduction: Reduction.Sum));
        Assert.Equal(0, probe.Value);
        Assert.All(probe.Gradients.SelectMany(g => g), g => Assert.Equal(0f, g));
    }

    [Fact]
    public void Another_size_is_refused_by_name()
    {
        var error = Assert.Throws<ShapeException>(() => LossProbe.Run(
            [Array4.Uniform(3, 5, 1, 1, seed: 1), Array4.Uniform(3, 6, 1, 1, seed: 1)], (tape, z) => tape.KlDivergence(z[0], z[1])));
        Assert.Equal("KlDivergence", error.Op);
        Assert.Contains("[3, 5]", error.Message);
        Assert.Contains("[3, 6]", error.Message);
    }
}
