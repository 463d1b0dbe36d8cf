using Rpat.Tests.Reference;

namespace Rpat.Tests.Ops;

public class SampleWeightsTests
{
    [Fact]
    public void Weights_are_computed_from_the_logits_and_carry_no_gradient()
    {
        Array4 z = Array4.Normal(3, 4, 1, 1, seed: 1);
        int[] labels = [2, 0, 3];
        var weighted = LossProbe.Run([z], labels, (tape, x, y) =>
            tape.RowLoss("ce", new CrossEntropy(), x[0], new() { Labels = y, Weights = tape.SampleWeights(x[0], y, OwnSize) }));
        float[] expected = [.. labels.Select((y, i) => Math.Abs((float)z.Sample(i)[y]))];
        var given = LossProbe.Run([z], labels, (tape, x, y) =>
            tape.RowLoss("ce", new CrossEntropy(), x[0], new()
            { Labels = y, Weights = Tensor.From(tape.Device, new Shape(1, 3), expected) }));
        Assert.Equal(given.Values, weighted.Values);
        Assert.Equal(given.Gradients[0], weighted.Gradients[0]);
    }

    [Fact]
    public void Another_batch_size_is_refused_by_name() => Assert.Equal(
        "SampleWeights: input [3, 4] and 2 labels differ in batch size.",
        Assert.Throws<ShapeException>(() => LossProbe.Run([Array4.Normal(3, 4, 1, 1, seed: 1)], [0, 1], (tape, x, y) =>
            tape.RowLoss("ce", new CrossEntropy(), x[0], new() { Weights = tape.SampleWeights(x[0], y, OwnSize) }))).Message);

    private static void OwnSize(ReadOnlySpan<float> logits, ReadOnlySpan<int> labels, Span<float> weights)
    {
        int k = logits.Length / labels.Length;
        for (int i = 0; i < labels.Length; i++) weights[i] = Math.Abs(logits[i * k + labels[i]]);
    }
}
