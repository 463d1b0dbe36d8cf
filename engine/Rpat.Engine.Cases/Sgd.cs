namespace Rpat.Engine.Cases;

/// <summary>Steps of gradient descent.</summary>
public sealed class SgdCases : OpCases<int>
{
    /// <inheritdoc/>
    public override string Category => "optimizer";

    /// <inheritdoc/>
    protected override IEnumerable<int> RaggedSizes => [3, 1026];

    /// <inheritdoc/>
    protected override IEnumerable<int> WiderSizes => [137, 200_001];

    /// <inheritdoc/>
    protected override IEnumerable<int> LayerSizes(int batch) => [ParameterSizes.Layer(batch)];

    /// <inheritdoc/>
    protected override IEnumerable<KernelCase> At(TestTensors make, int count, bool every) => every
        ? new[] { (0f, 0f, false), (0.9f, 0f, false), (0f, 0.01f, false), (0.9f, 5e-4f, false), (0.9f, 5e-4f, true), (0.5f, 0f, true) }
            .Select(how => Steps(make, count, 3, new SgdStep(0.1f, how.Item1, how.Item2, how.Item3)))
            .Append(Steps(make, count, 3, new SgdStep(0.1f, 0.9f, 5e-4f, true), factors: true))
        : [Steps(make, count, 1, new SgdStep(0.1f, 0.9f, 5e-4f, false))];

    private static KernelCase Steps(TestTensors make, int count, int steps, SgdStep step, bool factors = false)
    {
        TestTensor w = make.Row(count), g = make.Row(count), v = make.Row(count);
        TestTensor rate = make.Row(count, 0, 2), decay = make.Row(count, 0, 0.1);
        var given = factors ? new StepFactors(rate, decay) : default;
        var moved = new Lazy<(Array4 W, Array4 V)>(() =>
        {
            var (weights, velocity) = (w.Values.Clone(), v.Values.Clone());
            var reference = new ReferenceSgd(step.Momentum, step.WeightDecay, step.Nesterov);
            for (int i = 1; i <= steps; i++)
                reference.Step(weights.Data, g.Values.Data, velocity.Data, step.Rate / i, factors ? rate.Values.Data : null,
                    factors ? decay.Values.Data : null);
            return (weights, velocity);
        });
        return new("sgd", k =>
        {
            for (int i = 1; i <= steps; i++) k.Sgd(count, w, g, v, step with { Rate = step.Rate / i }, given);
        }, new CaseResult(w, () => moved.Value.W), new CaseResult(v, () => moved.Value.V))
        { Covers = ["Sgd"], Bytes = 5 * w.Bytes, Tolerance = new(1e-6, 1e-12) };
    }
}

/// <summary>Sizes of parameter buffers.</summary>
internal static class ParameterSizes
{
    /// <summary>
    /// With 128 images, about as many as PreActResNet-18 has, whose number does not depend on the batch; a test with few images is quick.
    /// </summary>
    public static int Layer(int batch) => batch << 16;
}

/// <summary>SGD with momentum and weight decay, with or without Nesterov (methods.md 0.3), on one array of weights.</summary>
internal sealed class ReferenceSgd(double momentum, double weightDecay, bool nesterov = false)
{
    /// <summary>
    /// g ← ∇ + wd·w; v ← μ·v + g; w ← w − lr·v, or w − lr·(g + μ·v) with Nesterov. Weights and velocity change in place;
    /// the velocity starts as zeros, which makes the first step v = g.
    /// </summary>
    /// <param name="rates">A factor of the rate per weight; null for 1.</param>
    /// <param name="decays">A weight decay per weight; null for that of all.</param>
    public void Step(double[] weights, double[] gradient, double[] velocity, double rate, double[]? rates = null,
        double[]? decays = null)
    {
        for (int i = 0; i < weights.Length; i++)
        {
            double g = gradient[i] + (decays?[i] ?? weightDecay) * weights[i];
            velocity[i] = momentum * velocity[i] + g;
            weights[i] -= rate * (rates?[i] ?? 1) * (nesterov ? g + momentum * velocity[i] : velocity[i]);
        }
    }
}
