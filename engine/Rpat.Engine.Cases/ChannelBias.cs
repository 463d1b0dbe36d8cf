namespace Rpat.Engine.Cases;

/// <summary>One value per channel, added.</summary>
public sealed class ChannelBiasCases : OpCases<Shape>
{
    /// <inheritdoc/>
    public override string Category => "pointwise";

    /// <inheritdoc/>
    protected override IEnumerable<Shape> RaggedSizes => ActivationSizes.Ragged;

    /// <inheritdoc/>
    protected override IEnumerable<Shape> WiderSizes => [new(3, 17, 5, 7), new(9, 32, 4, 4)];

    /// <inheritdoc/>
    protected override IEnumerable<Shape> LayerSizes(int batch) => [ActivationSizes.Layer(batch)];

    /// <inheritdoc/>
    protected override IEnumerable<KernelCase> At(TestTensors make, Shape s, bool every)
    {
        TestTensor input = make.Blocked(s), bias = make.Row(s.C), y = make.Blocked(s), dy = make.Blocked(s);
        Seen x = every ? make.View(input) : new(input);
        Array4 Y() => x.Values.MapChannels((c, v) => v + bias.Values.Data[c]);
        yield return new("channel bias", k => k.ChannelBias(s, x.Operand, bias, y), new CaseResult(y, Y))
        { Covers = ["ChannelBias"], Bytes = 2 * y.Bytes };
        foreach (bool add in Both(every))
        {
            TestTensor db = make.Row(s.C);
            yield return new("channel bias gradient", k => k.ChannelBiasGradient(s, dy, add, db), CaseResult.GradientBy(
                db, add, () => Array4.From(1, s.C, 1, 1, dy.Values.ChannelSums()), bias, () => Y().Dot(dy.Values)))
            {
                Covers = ["ChannelBiasGradient"],
                Bytes = dy.Bytes,
            };
        }
    }
}

/// <summary>Activations for ops that treat all values or all channels alike.</summary>
internal static class ActivationSizes
{
    /// <summary>With channel counts that fill their last block and counts that do not.</summary>
    public static Shape[] Ragged { get; } = [new(2, 5, 3, 4), new(1, 1, 1, 1), new(3, 16, 4, 4), new(2, 70, 3, 3)];

    /// <summary>PreActResNet-18's largest activation.</summary>
    public static Shape Layer(int batch) => new(batch, 64, 32, 32);
}
