using Rpat.Engine;

namespace Rpat.Tests.Gpu;

/// <summary>Every row term on the GPU, with labels, weights and second rows, stored and added.</summary>
[Collection(GpuCollection.Name)]
[Covers(nameof(IRowTermsKernels.RowTerms), nameof(IRowTermsKernels.RowTermsGradient))]
public class RowTermTests(GpuFixture fixture)
{
    public static TheoryData<int, int, double> Sizes => new() { { 3, 2, 1 }, { 5, 10, 4 }, { 2, 33, 100 } };

    [Theory]
    [MemberData(nameof(Sizes))]
    public void All_terms(int n, int k, double size)
    {
        Check(n, k, size, new CrossEntropyRowTerm());
        Check(n, k, size, new ComplementRowTerm());
        Check(n, k, size, new OneVsRestRowTerm());
        Check(n, k, size, new SoftMarginRowTerm());
        Check(n, k, size, new SoftCrossEntropyRowTerm());
        Check(n, k, size, new SquaredProbabilityRowTerm());
        Check(n, k, size, new DistillRowTerm(0.5f, 4));
        Check(n, k, size, new DistillRowTerm(0.5f, 4, crossEntropy: true));
        Check(n, k, size, new MartRowTerm());
        Check(n, k, size, new JensenShannonRowTerm(0.5f));
    }

    private void Check<TTerm>(int n, int k, double size, TTerm term) where TTerm : struct, IRowTerm
    {
        using var duel = new Duel(fixture);
        Pair z = duel.Plain(new Shape(n, k), 1, -size, size), other = duel.Plain(new Shape(n + 1, k), 2, 0, 1);
        Pair labels = duel.Labels([.. Enumerable.Range(0, n).Select(i => (7 * i + 1) % k)]), weights = duel.Plain(new Shape(1, n), 3, 0, 2);
        Pair values = duel.Plain(new Shape(1, n), 4), dz = duel.Plain(new Shape(n, k), 5), dOther = duel.Plain(new Shape(n + 1, k), 6);
        Pair alone = duel.Plain(new Shape(n, k), 7);
        duel.Run((kernels, on) =>
        {
            var rows = new RowTermOperands(n, k, on(z)!, on(other)!, 1, on(labels)!, on(weights)!);
            kernels.RowTerms(term, rows, on(values)!);
            kernels.RowTermsGradient(term, rows, 0.37f, new RowTermGradients(on(dz)!, true, on(dOther)!, false));
            kernels.RowTermsGradient(term, rows with { Weights = null }, 0.37f, new RowTermGradients(on(alone)!, false, null, false));
        });
        foreach (var pair in new[] { values, dz, dOther, alone }) duel.Check(pair, typeof(TTerm).Name);
    }
}
