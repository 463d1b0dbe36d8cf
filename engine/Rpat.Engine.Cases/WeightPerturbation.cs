namespace Rpat.Engine.Cases;

/// <summary>Adversarial perturbations of weights (AWP): v = γ·‖w‖/(‖g‖ + 1e-20)·g.</summary>
public sealed class WeightPerturbationCases : OpCases<int>
{
    /// <inheritdoc/>
    public override string Category => "optimizer";

    /// <summary>The last has more values than the groups of a launch cover in one pass.</summary>
    protected override IEnumerable<int> RaggedSizes => [1, 37, 70_000];

    /// <inheritdoc/>
    protected override IEnumerable<int> LayerSizes(int batch) => [ParameterSizes.Layer(batch)];

    /// <inheritdoc/>
    protected override IEnumerable<KernelCase> At(TestTensors make, int count, bool every)
    {
        yield return Perturb(make, "weight perturbation", make.Row(count, -1e-3, 1e-3));
        if (every) yield return Perturb(make, "weight perturbation without a gradient", make.Row(count, 0, 0));
    }

    private static KernelCase Perturb(TestTensors make, string name, TestTensor g)
    {
        const float gamma = 0.01f;
        int count = g.Shape.C;
        TestTensor w = make.Row(count), v = make.Row(count);
        Array4 Move()
        {
            double ratio = gamma * Length(w.Values) / (Length(g.Values) + 1e-20);
            return g.Values.Map(value => ratio * value);
        }
        return new(name, k => k.PerturbWeights(count, w, g, gamma, v),
            new CaseResult(v, Move), new CaseResult(w, () => ReferenceElementwise.Add(w.Values, Move())))
        {
            Covers = ["PerturbWeights"],
            Bytes = 6 * w.Bytes,
        };
    }

    private static double Length(Array4 values) => Math.Sqrt(values.Dot(values));
}
