using Rpat.Tests.Reference;

namespace Rpat.Tests.Ops;

public class CrossEntropyTests
{
    [Theory]
    [InlineData("small")]
    [InlineData("large")]
    [InlineData("wide")]
    public void Value_and_gradient_are_PyTorchs(string @case)
    {
        int[] labels = Golden.GoldenArrays.Losses.Integers($"{@case}/labels");
        LossProbe.Run(LossProbe.Golden(@case, "adversarial"), labels, (tape, z, y) => tape.CrossEntropy(z[0], y))
            .AssertGolden(@case, "ce", "adversarial");
    }

    [Fact]
    public void A_sum_is_N_means_and_a_weight_scales_value_and_gradient()
    {
        Array4 z = Array4.Normal(4, 10, 1, 1, seed: 3);
        int[] labels = [0, 9, 4, 4];
        var mean = LossProbe.Run([z], labels, (tape, x, y) => tape.CrossEntropy(x[0], y));
        var sum = LossProbe.Run([z], labels, (tape, x, y) => tape.CrossEntropy(x[0], y, Reduction.Sum));
        var weighted = LossProbe.Run([z], labels, (tape, x, y) => 4 * tape.CrossEntropy(x[0], y));
        LossProbe.AssertNear(4 * mean.Value, sum.Value, 1e-12);
        LossProbe.AssertNear(4 * mean.Value, weighted.Value, 1e-12);
        Assert.Equal(sum.Gradients[0], Array.ConvertAll(mean.Gradients[0], g => 4 * g));
        Assert.Equal(sum.Gradients[0], weighted.Gradients[0]);
    }

    [Fact]
    public void Two_terms_on_the_same_logits_add_their_gradients()
    {
        Array4 z = Array4.Normal(3, 5, 1, 1, seed: 8);
        int[] labels = [1, 0, 4];
        var one = LossProbe.Run([z], labels, (tape, x, y) => tape.CrossEntropy(x[0], y));
        var two = LossProbe.Run([z], labels, (tape, x, y) => tape.CrossEntropy(x[0], y) + tape.CrossEntropy(x[0], y));
        LossProbe.AssertNear(2 * one.Value, two.Value, 1e-12);
        Assert.Equal(Array.ConvertAll(one.Gradients[0], g => 2 * g), two.Gradients[0]);
    }

    [Fact]
    public void Certainty_costs_nothing_and_certain_error_costs_the_gap()
    {
        Array4 z = Array4.From(2, 2, 1, 1, 1000, -1000, 1000, -1000);
        var probe = LossProbe.Run([z], [0, 1], (tape, x, y) => tape.CrossEntropy(x[0], y));
        Assert.Equal([0f, 2000f], probe.Values);
        Assert.Equal([0f, 0f, 0.5f, -0.5f], probe.Gradients[0]);
    }

    [Fact]
    public void Another_batch_size_is_refused_by_name()
    {
        var error = Assert.Throws<ShapeException>(() =>
            LossProbe.Run([Array4.Uniform(3, 5, 1, 1, seed: 1)], [0, 1], (tape, z, y) => tape.CrossEntropy(z[0], y)));
        Assert.Equal("CrossEntropy: input [3, 5] and 2 labels differ in batch size.", error.Message);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(5)]
    public void A_label_that_is_no_class_is_refused(int label)
    {
        var error = Assert.Throws<ShapeException>(() =>
            LossProbe.Run([Array4.Uniform(2, 5, 1, 1, seed: 1)], [0, label], (tape, z, y) => tape.CrossEntropy(z[0], y)));
        Assert.Equal($"CrossEntropy: label {label} of sample 1 is not a class of 0 to 4.", error.Message);
    }
}
