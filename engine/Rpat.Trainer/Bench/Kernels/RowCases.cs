using Rpat.Engine;

namespace Rpat.Trainer.Bench.Kernels;

/// <summary>Losses of rows of logits.</summary>
internal static class RowCases
{
    private const float Alpha = 0.3f, Factor = 2.5f, Coefficient = 0.75f;

    public static IEnumerable<Func<Givens, IEnumerable<KernelCase>>> Groups(KernelSizes sizes)
    {
        var s = new Shape(sizes.Batch, sizes.Classes);
        yield return make => Pairs(make, s);
        yield return make => Perception(make, s);
        yield return make => Terms(make, s);
    }

    private static IEnumerable<KernelCase> Pairs(Givens make, Shape s)
    {
        var (n, k) = (s.N, s.C);
        Given z = make.Plain(s, -4, 4), t = make.Plain(s, -4, 4), d = make.Plain(s), labels = make.Labels(n, k), values = make.Plain(new Shape(1, n));
        yield return Row("cross-entropy", values, "CrossEntropy", on => on.CrossEntropy(n, k, z, labels, values), at => -LogSoftmax(z, at.C, (int)labels[at.C]), z);
        yield return Row("cross-entropy gradient", d, "CrossEntropyGradient", on => on.CrossEntropyGradient(n, k, z, labels, Coefficient, false, d), at =>
            Coefficient * (Softmax(z, at.N, at.C) - (at.C == (int)labels[at.N] ? 1 : 0)), z, d);
        yield return Row("KL divergence", values, "KlDivergence", on => on.KlDivergence(n, k, t, z, values), at => Kl(t, z, at.C), z, t);
        yield return Row("KL gradient", d, "KlDivergenceGradient", on => on.KlDivergenceGradient(n, k, t, z, Coefficient, false, d), at =>
            Coefficient * (Softmax(z, at.N, at.C) - Softmax(t, at.N, at.C)), z, t, d);
        yield return Row("KL gradient of the target", d, "KlDivergenceTargetGradient", on => on.KlDivergenceTargetGradient(n, k, t, z, Coefficient, false, d), at =>
            Coefficient * Softmax(t, at.N, at.C) * (LogSoftmax(t, at.N, at.C) - LogSoftmax(z, at.N, at.C) - Kl(t, z, at.N)), z, t, d);
        yield return Row("squared error", values, "MeanSquaredError", on => on.MeanSquaredError(n, k, z, t, values), at =>
            Enumerable.Range(0, k).Sum(j => Math.Pow(z[at.C, j] - t[at.C, j], 2)) / k, z, t);
        yield return Row("squared error gradient", d, "MeanSquaredErrorGradient", on => on.MeanSquaredErrorGradient(n, k, z, t, Coefficient, false, d), at =>
            Coefficient * 2 * (z[at.I] - t[at.I]) / k, z, t, d);
    }

    private static IEnumerable<KernelCase> Perception(Givens make, Shape s)
    {
        var (n, k) = (s.N, s.C);
        Given u = make.Plain(s), a = make.Plain(s), b = make.Plain(s), labels = make.Labels(n, k), values = make.Plain(new Shape(1, n)), both = make.Plain(new Shape(2, n));
        Given du = make.Plain(s), da = make.Plain(s), db = make.Plain(s);
        var logits = new PerceptionLogits(u, a, b);
        var gradients = new PerceptionGradients(du, da, db, false, false, false);
        double Residual(int i, int j) => u[i, j] - (1 - (double)Alpha) * a[i, j] - (double)Alpha * b[i, j];
        double Mean(int i) => Enumerable.Range(0, k).Sum(j => Residual(i, j) * Residual(i, j)) / k;
        yield return Row("perception", values, "Perception", on => on.Perception(n, k, logits, Alpha, Factor, values), at => Factor * Mean(at.C), u, a, b);
        yield return Row("perception gradient", da, "PerceptionGradient", on => on.PerceptionGradient(n, k, logits, Alpha, Coefficient, gradients), at =>
            -(1 - (double)Alpha) * Coefficient * 2 * Residual(at.N, at.C) / k, u, a, b, du, da, db);
        yield return Row("rpat loss", both, "RpatLoss", on => on.RpatLoss(n, k, logits, labels, Alpha, Factor, both), at =>
            at.N == 0 ? -LogSoftmax(b, at.C, (int)labels[at.C]) : Factor * Mean(at.C), u, a, b);
        yield return Row("rpat loss gradient", db, "RpatLossGradient", on => on.RpatLossGradient(n, k, logits, labels, Alpha, Coefficient, Factor, gradients), at =>
            Coefficient * (Softmax(b, at.N, at.C) - (at.C == (int)labels[at.N] ? 1 : 0) - Alpha * Factor * 2 * Residual(at.N, at.C) / k), u, a, b, du, da, db);
    }

    // All terms are one kernel, so one of them stands for the arithmetic that they share.
    private static IEnumerable<KernelCase> Terms(Givens make, Shape s)
    {
        Given z = make.Plain(s, -4, 4), d = make.Plain(s), labels = make.Labels(s.N, s.C), weights = make.Plain(new Shape(1, s.N), 0, 2), values = make.Plain(weights.Shape);
        var rows = new RowTermOperands(s.N, s.C, z, null, 0, labels, weights);
        yield return Row("row term", values, "RowTerms", on => on.RowTerms(new CrossEntropyRowTerm(), rows, values), at =>
            -weights[at.C] * LogSoftmax(z, at.C, (int)labels[at.C]), z);
        yield return Row("row term gradient", d, "RowTermsGradient", on => on.RowTermsGradient(new CrossEntropyRowTerm(), rows, Coefficient, new RowTermGradients(d, false, null, false)), at =>
            weights[at.N] * Coefficient * (Softmax(z, at.N, at.C) - (at.C == (int)labels[at.N] ? 1 : 0)), z, d);
    }

    private static KernelCase Row(string name, Given result, string kernel, Action<IKernels> run, Func<Place, double> reference, params Given[] moved) =>
        new(name, result, run, reference) { Covers = [kernel], Bytes = moved.Sum(given => given.Bytes) };

    private static double LogSoftmax(Given z, int row, int column)
    {
        double most = Enumerable.Range(0, z.Shape.C).Max(j => z[row, j]);
        return z[row, column] - most - Math.Log(Enumerable.Range(0, z.Shape.C).Sum(j => Math.Exp(z[row, j] - most)));
    }

    private static double Softmax(Given z, int row, int column) => Math.Exp(LogSoftmax(z, row, column));

    private static double Kl(Given t, Given z, int row) =>
        Enumerable.Range(0, z.Shape.C).Sum(j => Softmax(t, row, j) * (LogSoftmax(t, row, j) - LogSoftmax(z, row, j)));
}
