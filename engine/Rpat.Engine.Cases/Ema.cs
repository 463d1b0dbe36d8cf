namespace Rpat.Engine.Cases;

/// <summary>Moving averages of parameters.</summary>
public sealed class EmaCases : OpCases<int>
{
    /// <inheritdoc/>
    public override string Category => "optimizer";

    /// <inheritdoc/>
    protected override IEnumerable<int> RaggedSizes => [1, 2, 3, 4, 7, 1025];

    /// <inheritdoc/>
    protected override IEnumerable<int> LayerSizes(int batch) => [ParameterSizes.Layer(batch)];

    /// <inheritdoc/>
    protected override IEnumerable<KernelCase> At(TestTensors make, int count, bool every)
    {
        const float decay = 0.995f;
        TestTensor average = make.Row(count), values = make.Row(count);
        yield return new("moving average", k => k.Ema(count, average, values, decay), new CaseResult(average, () =>
        {
            Array4 moved = average.Values.Clone();
            ReferenceEma.Update(moved.Data, values.Values.Data, decay);
            return moved;
        }))
        { Covers = ["Ema"], Bytes = 3 * average.Bytes };
    }
}

/// <summary>Averaged weights (methods.md 3.1): wa ← ρ·wa + (1 − ρ)·w, the same for batch-norm statistics.</summary>
internal static class ReferenceEma
{
    public static void Update(double[] averaged, double[] weights, double decay)
    {
        for (int i = 0; i < averaged.Length; i++) averaged[i] = decay * averaged[i] + (1 - decay) * weights[i];
    }
}
