namespace Rpat.Engine.Cases;

/// <summary>Steps of Adam and AdamW.</summary>
public sealed class AdamCases : OpCases<int>
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
        ? from decoupled in new[] { false, true }
          from factors in new[] { false, true }
          select Steps(make, count, 3, decoupled, factors)
        : [Steps(make, count, 1, true, false)];

    private static KernelCase Steps(TestTensors make, int count, int steps, bool decoupled, bool factors)
    {
        var reference = new ReferenceAdam(0.9, 0.99, 1e-3, decoupled);
        TestTensor w = make.Row(count), g = make.Row(count), m = make.Row(count), v = make.Row(count, 0, 1),
            rate = make.Row(count, 0, 2), decay = make.Row(count, 0, 0.1);
        var given = factors ? new StepFactors(rate, decay) : default;
        var moved = new Lazy<(Array4 W, Array4 M, Array4 V)>(() =>
        {
            var (weights, mean, square) = (w.Values.Clone(), m.Values.Clone(), v.Values.Clone());
            for (int t = 1; t <= steps; t++)
                reference.Step(weights.Data, g.Values.Data, mean.Data, square.Data, t, i => 0.1f * (factors ? rate.Values.Data[i] : 1),
                    i => factors ? decay.Values.Data[i] : 0.05f);
            return (weights, mean, square);
        });
        return new("adam", k =>
        {
            for (int t = 1; t <= steps; t++)
                k.Adam(count, w, g, m, v, new(0.1f, 0.9f, 0.99f, 1e-3f, 0.05f, decoupled, (float)(1 - Math.Pow(0.9f, t)),
                    (float)(1 - Math.Pow(0.99f, t))), given);
        }, new CaseResult(w, () => moved.Value.W), new CaseResult(m, () => moved.Value.M), new CaseResult(v, () => moved.Value.V))
        { Covers = ["Adam"], Bytes = 7 * w.Bytes, Tolerance = new(2e-6, 1e-12) };
    }
}

/// <summary>Adam (Kingma and Ba, 2015) with weight decay in the gradient, or decoupled (Loshchilov and Hutter, 2019), as PyTorch
/// computes it, on one array of weights.</summary>
internal sealed class ReferenceAdam(double beta1, double beta2, double epsilon, bool decoupled)
{
    /// <summary>Step number t, from 1; all arrays but the gradient change in place.</summary>
    public void Step(double[] weights, double[] gradient, double[] mean, double[] square, int t, Func<int, double> rate,
        Func<int, double> decay)
    {
        double correction1 = 1 - Math.Pow(beta1, t), correction2 = 1 - Math.Pow(beta2, t);
        for (int i = 0; i < weights.Length; i++)
        {
            double g = gradient[i] + (decoupled ? 0 : decay(i) * weights[i]);
            if (decoupled) weights[i] *= 1 - rate(i) * decay(i);
            mean[i] = beta1 * mean[i] + (1 - beta1) * g;
            square[i] = beta2 * square[i] + (1 - beta2) * g * g;
            weights[i] -= rate(i) / correction1 * mean[i] / (Math.Sqrt(square[i] / correction2) + epsilon);
        }
    }
}
