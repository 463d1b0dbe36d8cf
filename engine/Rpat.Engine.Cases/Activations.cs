namespace Rpat.Engine.Cases;

/// <summary>From plain values to the activation layout, and back.</summary>
public sealed class ActivationsCases : OpCases<Shape>
{
    /// <inheritdoc/>
    public override string Category => "pointwise";

    /// <inheritdoc/>
    protected override IEnumerable<Shape> RaggedSizes => ActivationSizes.Ragged;

    /// <inheritdoc/>
    protected override IEnumerable<Shape> WiderSizes => [new(3, 17), new(2, 32), new(2, 3, 5, 7)];

    /// <inheritdoc/>
    protected override IEnumerable<Shape> LayerSizes(int batch) => [ActivationSizes.Layer(batch)];

    /// <inheritdoc/>
    protected override IEnumerable<KernelCase> At(TestTensors make, Shape s, bool every)
    {
        TestTensor plain = make.Plain(s), there = make.Blocked(s), activations = make.Blocked(s);
        yield return new("plain to activations", k => k.ToActivations(s, plain, there), new CaseResult(there, () => plain.Values))
        {
            Covers = ["ToActivations"],
            Bytes = 2 * plain.Bytes,
            SameBits = true,
        };
        foreach (bool add in Both(every))
        {
            TestTensor back = make.Plain(s);
            yield return new("activations to plain", k => k.FromActivations(s, activations, add, back), CaseResult.GradientBy(
                back, add, () => activations.Values, plain, () => plain.Values.Dot(activations.Values)))
            {
                Covers = ["FromActivations"],
                Bytes = 2 * plain.Bytes,
                SameBits = true,
            };
        }
    }
}
