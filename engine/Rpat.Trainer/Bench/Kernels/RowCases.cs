using Rpat.Robust.Losses;

namespace Rpat.Trainer.Bench.Kernels;

/// <summary>Losses of rows of logits.</summary>
internal static class RowCases
{
    private const float Alpha = 0.3f, Lambda = 2.5f, Coefficient = 0.75f;

    public static IEnumerable<Func<Givens, IEnumerable<KernelCase>>> Groups(KernelSizes sizes)
    {
        var s = new Shape(sizes.Batch, sizes.Classes);
        yield return make => Pairs(make, s);
        yield return make => Rpat(make, s);
    }

    private static IEnumerable<KernelCase> Pairs(Givens make, Shape s)
    {
        var (n, k) = (s.N, s.C);
        Given z = make.Plain(s, -4, 4), t = make.Plain(s, -4, 4), dz = make.Plain(s), dt = make.Plain(s);
        Given labels = make.Labels(n, k), weights = make.Plain(new Shape(1, n), 0, 2), values = make.Plain(new Shape(1, n));
        var rows = new RowLossOperands(n, k, 1, z, t, Labels: labels, Weights: weights);
        var (toZ, toT) = (new RowGradient(dz, false), new RowGradient(dt, false));
        yield return Value("cross-entropy", values, new CrossEntropy(), rows, at => -weights[at.C] * LogSoftmax(z, at.C, (int)labels[at.C]), z);
        yield return Gradient("cross-entropy gradient", dz, new CrossEntropy(), rows, [toZ, default, default], at =>
            weights[at.N] * Coefficient * (Softmax(z, at.N, at.C) - (at.C == (int)labels[at.N] ? 1 : 0)), z, dz);
        yield return Value("KL divergence", values, new KlDivergence(1), rows, at => weights[at.C] * Kl(t, z, at.C), z, t);
        yield return Gradient("KL gradient", dz, new KlDivergence(1), rows, [toZ, toT, default], at =>
            weights[at.N] * Coefficient * (Softmax(z, at.N, at.C) - Softmax(t, at.N, at.C)), z, t, dz, dt);
        yield return Gradient("KL gradient of the target", dt, new KlDivergence(1), rows, [toZ, toT, default], at =>
            weights[at.N] * Coefficient * Softmax(t, at.N, at.C) * (LogSoftmax(t, at.N, at.C) - LogSoftmax(z, at.N, at.C) - Kl(t, z, at.N)), z, t, dz, dt);
    }

    private static IEnumerable<KernelCase> Rpat(Givens make, Shape s)
    {
        var (n, k) = (s.N, s.C);
        Given u = make.Plain(s), a = make.Plain(s), b = make.Plain(s), labels = make.Labels(n, k), both = make.Plain(new Shape(2, n));
        Given du = make.Plain(s), da = make.Plain(s), db = make.Plain(s);
        var rows = new RowLossOperands(n, k, 2, b, a, Third: u, Labels: labels);
        RowGradient[] to = [new(db, false), new(da, false), new(du, false)];
        var loss = new RpatLoss(Lambda, new PerceptionLoss(Alpha));
        double Residual(int i, int j) => u[i, j] - (1 - (double)Alpha) * a[i, j] - (double)Alpha * b[i, j];
        double Mean(int i) => Enumerable.Range(0, k).Sum(j => Residual(i, j) * Residual(i, j)) / k;
        yield return Value("rpat loss", both, loss, rows, at => at.N == 0 ? -LogSoftmax(b, at.C, (int)labels[at.C]) : Mean(at.C), u, a, b);
        yield return Gradient("rpat loss gradient", db, loss, rows, to, at =>
            Coefficient * (Softmax(b, at.N, at.C) - (at.C == (int)labels[at.N] ? 1 : 0) - Alpha * Lambda * 2 * Residual(at.N, at.C) / k), u, a, b, du, da, db);
        yield return Gradient("rpat loss gradient, clean", da, loss, rows, to, at =>
            -(1 - (double)Alpha) * Lambda * Coefficient * 2 * Residual(at.N, at.C) / k, u, a, b, du, da, db);
    }

    private static KernelCase Value<TLoss>(string name, Given values, TLoss loss, RowLossOperands rows, Func<Place, double> reference, params Given[] moved)
        where TLoss : struct, IRowLoss =>
        new(name, values, on => on.RowLoss(loss, rows, values), reference) { Covers = [nameof(IRowLossKernels.RowLoss)], Bytes = moved.Sum(given => given.Bytes) };

    private static KernelCase Gradient<TLoss>(string name, Given result, TLoss loss, RowLossOperands rows, RowGradient[] to, Func<Place, double> reference,
        params Given[] moved) where TLoss : struct, IRowLoss =>
        new(name, result, on => on.RowLossGradient(loss, rows, Coefficient, to[0], to[1], to[2]), reference)
        {
            Covers = [nameof(IRowLossKernels.RowLossGradient)],
            Bytes = moved.Sum(given => given.Bytes),
        };

    private static double LogSoftmax(Given z, int row, int column)
    {
        double most = Enumerable.Range(0, z.Shape.C).Max(j => z[row, j]);
        return z[row, column] - most - Math.Log(Enumerable.Range(0, z.Shape.C).Sum(j => Math.Exp(z[row, j] - most)));
    }

    private static double Softmax(Given z, int row, int column) => Math.Exp(LogSoftmax(z, row, column));

    private static double Kl(Given t, Given z, int row) =>
        Enumerable.Range(0, z.Shape.C).Sum(j => Softmax(t, row, j) * (LogSoftmax(t, row, j) - LogSoftmax(z, row, j)));
}
