using Rpat.Nn.Ops;
using Rpat.Robust.Losses;

namespace Rpat.Engine.Cases;

/// <summary>N rows of K logits in ±Reach; probabilities underflow where Reach is large.</summary>
public readonly record struct RowSize(int N, int K, double Reach);

/// <summary>
/// Every loss of logits. The reference is the loss of one row, written from its formula; its gradient is computed by finite differences.
/// </summary>
public sealed class RowLossCases : OpCases<RowSize>
{
    private const float Coefficient = 0.37f, Alpha = 0.3f, Lambda = 2.5f;

    /// <inheritdoc/>
    public override string Category => "loss";

    /// <inheritdoc/>
    protected override IEnumerable<RowSize> RaggedSizes => [new(3, 2, 1), new(5, 10, 4), new(2, 33, 100), new(2, 100, 1000), new(3, 1, 1)];

    /// <inheritdoc/>
    protected override IEnumerable<RowSize> WiderSizes => [new(1, 2, 4), new(3, 5, 4), new(6, 17, 4), new(7, 100, 4)];

    /// <inheritdoc/>
    protected override IEnumerable<RowSize> LayerSizes(int batch) => [new(batch, 10, 4)];

    /// <inheritdoc/>
    protected override IEnumerable<KernelCase> At(TestTensors make, RowSize size, bool every)
    {
        var rows = new RowCase(make, size, every, Coefficient);
        var perception = new PerceptionLoss(Alpha);
        KernelCase[] always =
        [
            .. rows.Of("cross-entropy", new CrossEntropy(), 1, (z, _, _, y) => ReferenceRowLosses.CrossEntropy(z, y)),
            .. rows.Of("rpat loss", new RpatLoss(Lambda, perception), 3,
                [((z, _, _, y) => ReferenceRowLosses.CrossEntropy(z, y), 1),
                    ((z, a, u, _) => ReferenceRowLosses.Perception(u, a, z, Alpha), Lambda)]),
        ];
        return size.K == 1 ? always : [.. always, .. Pairs(rows, perception), .. every ? Others(rows) : []];
    }

    private static KernelCase[] Pairs(RowCase rows, PerceptionLoss perception) =>
    [
        .. rows.Of("KL divergence", new KlDivergence(), 2, (z, t, _, _) => ReferenceRowLosses.Kl(t, z)),
        .. rows.Of("mart", new MartDivergence(), 2, (z, t, _, y) => ReferenceRowLosses.Mart(t, z, y)),
        .. rows.Of("one against the rest", new OneVsRest(), 1, (z, _, _, y) => ReferenceRowLosses.OneVsRest(z, y)),
        .. rows.Of("perception", perception, 3, (z, a, u, _) => ReferenceRowLosses.Perception(u, a, z, Alpha)),
    ];

    private static KernelCase[] Others(RowCase rows) =>
    [
        .. rows.Of("KL divergence at a scale", new KlDivergence(0.3f), 2, (z, t, _, _) => ReferenceRowLosses.Kl(t, z, 0.3f)),
        .. rows.Of("distillation", new KlDivergence(0.5f, 4, crossEntropy: true), 2,
        (z, t, _, _) => ReferenceRowLosses.Distillation(t, z, 2)),
        .. rows.Of("soft cross-entropy", new SoftCrossEntropy(), 1, (z, t, _, _) => ReferenceRowLosses.SoftCrossEntropy(z, t)),
        .. rows.Of("one logit", new OneLogit(), 1, (z, _, _, y) => z[y]),
        .. rows.Of("log-sum-exp", new LogSumExp(), 1, (z, _, _, _) => z.Max() + Math.Log(z.Sum(v => Math.Exp(v - z.Max())))),
        .. rows.Of("softmax", new SoftmaxDot(), 1, (z, g, _, _) => ReferenceRowLosses.SoftmaxDot(z, g)),
        .. rows.Of("deviation", new Deviation(1e-3), 1, (z, _, _, _) => z.Length * ReferenceRowLosses.Deviation(z, 1e-3)),
        .. rows.Of("standardized row", new StandardizedDot(1e-3), 1,
        (z, g, _, _) => ReferenceRowLosses.Centred(z).Zip(g, (v, d) => d * v).Sum() / ReferenceRowLosses.Deviation(z, 1e-3)),
        .. rows.Of("sum", new RowSum(0.5), 1, (z, _, _, _) => z.Sum() / 2),
        .. rows.Of("squared error", new SquaredError(), 2, (z, t, _, _) => z.Zip(t, (a, b) => (a - b) * (a - b)).Average()),
        .. rows.Of("row length", new RowLength(1e-12), 1, (z, _, _, _) => ReferenceRowLosses.Length(z)),
        .. rows.Of("unit row", new UnitDot(1e-12), 1,
        (z, g, _, _) => z.Zip(g, (v, d) => d * v).Sum() / ReferenceRowLosses.Length(z)),
        .. rows.Of("bounded deviation", new BoundedDeviation(), 1, (z, _, _, _) => ReferenceRowLosses.BoundedDeviation(z).Value),
        .. rows.Of("standardized image", new BoundedDot(), 1,
        (z, g, _, _) => ReferenceRowLosses.Centred(z).Zip(g, (v, d) => d * v).Sum() / ReferenceRowLosses.BoundedDeviation(z).Divisor),
        .. rows.Of("complement", new Complement(), 1, (z, _, _, y) => ReferenceRowLosses.Complement(z, y)),
        .. rows.Of("soft margin", new SoftMargin(), 1, (z, _, _, y) => ReferenceRowLosses.SoftMargin(z, y)),
        .. rows.Of("squared probability", new SquaredProbability(), 1, (z, t, _, _) => ReferenceRowLosses.SquaredProbability(z, t)),
        .. rows.Of("uniform cross-entropy", new UniformCrossEntropy(), 1, (z, _, _, _) => -ReferenceRowLosses.LogSoftmax(z).Average()),
        .. rows.Of("weighted gaps", new WeightedGaps(), 2, (z, t, w, _) => ReferenceRowLosses.WeightedGaps(t, z, w)),
        .. rows.Of("margin", new Margin(), 1, (z, _, _, y) => ReferenceRowLosses.Margin(z, y)),
        .. rows.Of("margin of a target", new Margin(target: 1), 1, (z, _, _, _) => -ReferenceRowLosses.Margin(z, 1)),
        .. rows.Of("dlr", new Dlr(), 1, (z, _, _, y) => ReferenceRowLosses.Dlr(z, y)),
        .. rows.Of("dlr of a target", new Dlr(target: 1), 1, (z, _, _, y) => ReferenceRowLosses.Dlr(z, y, 1)),
        .. rows.Of("jensen-shannon", new JensenShannon(0.5f), 2, (z, t, _, _) => ReferenceRowLosses.JensenShannon(z, t, 0.5)),
        .. rows.Of("jensen-shannon at 1", new JensenShannon(1), 2, (z, t, _, _) => ReferenceRowLosses.JensenShannon(z, t, 1)),
        .. rows.Of("perception of the paper", new PerceptionLoss(Alpha, PerceptionForm.DifferenceQuotient), 3, (z, a, u, _) =>
            ReferenceRowLosses.Perception(u, a, z, Alpha) * Math.Pow(Alpha * (1 - (double)Alpha), -2)),
    ];
}

/// <summary>z_y, which puts its gradient into one column only.</summary>
public readonly struct OneLogit : IRowLoss
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TRow>(LossRows<TRow> rows, int part) where TRow : struct, IRow => rows.Z.At(rows.Label);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Gradient<TRow>(LossRows<TRow> rows, double factor) where TRow : struct, IRow
    {
        for (int j = rows.Z.First; j < rows.Z.Count; j += rows.Z.Step)
            if (j == rows.Label) rows.Z.Put(j, factor);
    }
}

/// <summary>A loss at one row: its value from logits, second and third row and label.</summary>
internal delegate double RowValue(double[] z, double[] second, double[] third, int label);

/// <summary>What losses read: logits, second and third rows, labels and weights.</summary>
internal sealed class RowCase
{
    // Where probabilities are 0 and 1 a gradient may vanish, and differences are only rounding.
    private static readonly Tolerance _differences = new(2e-6, 1e-11, 1e-3);

    private readonly TestTensors _make;
    private readonly RowSize _s;
    private readonly bool _every;
    private readonly float _coefficient;
    private readonly TestTensor _z, _constants, _logits, _third, _weights;
    private readonly int[] _labels;
    private readonly DeviceBuffer _labelBuffer;

    public RowCase(TestTensors make, RowSize s, bool every, float coefficient)
    {
        (_make, _s, _every, _coefficient) = (make, s, every, coefficient);
        Shape rows = new(s.N, s.K), more = new(s.N + From, s.K);
        (_z, _third, _weights) = (make.Plain(rows, -s.Reach, s.Reach), make.Plain(rows, -s.Reach, s.Reach), make.Row(s.N, 0, 2));
        (_constants, _logits) = (make.Plain(more, 0, 1), make.Plain(more, -s.Reach, s.Reach));
        _labels = [.. Enumerable.Range(0, s.N).Select(i => (7 * i + 1) % s.K)];
        _labelBuffer = make.Words(_labels);
    }

    // In variants, the second rows start at row 1, as those in the second half of a batch start at an offset.
    private int From => _every ? 1 : 0;

    /// <summary>A loss's values, and in one launch its gradients by all three rows, which are 0 by those that it does not read.</summary>
    /// <param name="rows">The number of its rows that are logits; the second is a row of probabilities if it is not among them.</param>
    public IEnumerable<KernelCase> Of<TLoss>(string name, TLoss loss, int rows, RowValue value) where TLoss : struct, IRowLoss =>
        Of(name, loss, rows, [(value, 1)]);

    /// <summary>The same for a loss of several parts, each with its weight.</summary>
    public IEnumerable<KernelCase> Of<TLoss>(string name, TLoss loss, int rows, (RowValue Value, double Weight)[] parts)
        where TLoss : struct, IRowLoss
    {
        TestTensor second = rows == 1 ? _constants : _logits;
        TestTensor values = _make.Plain(new(parts.Length, _s.N)), dz = _make.Plain(_z.Shape), d2 = _make.Plain(second.Shape),
            d3 = _make.Plain(_z.Shape);
        var operands = new RowLossOperands(_s.N, _s.K, parts.Length, _z, second, From, _third, _labelBuffer, _weights);
        double[][] Rows(int i) =>
            [_z.Values.Sample(i).ToArray(), second.Values.Sample(From + i).ToArray(), _third.Values.Sample(i).ToArray()];
        double Part(int part, int i, double[][] at) => parts[part].Value(at[0], at[1], at[2], _labels[i]);
        CaseResult Slopes(TestTensor to, int row, bool add, bool weighted = true) => new(to, () =>
        {
            Array4 all = to.Values.Clone();
            for (int i = 0; i < _s.N; i++)
            {
                double[][] at = Rows(i);
                double factor = _coefficient * (weighted ? _weights.Values.Data[i] : 1);
                double Loss() => Enumerable.Range(0, parts.Length).Sum(part => parts[part].Weight * Part(part, i, at));
                var slopes = all.Sample(row == 1 ? From + i : i);
                if (!add) slopes.Clear();
                if (!Differences.Any(Loss, at[row])) continue;
                for (int j = 0; j < _s.K; j++) slopes[j] += factor * Differences.Fine(Loss, at[row], j);
            }
            return all;
        });
        yield return new(name, k => k.RowLoss(loss, operands, values), new CaseResult(values, () =>
        {
            Array4 all = values.Values.Like();
            for (int i = 0; i < all.Length; i++) all.Data[i] = _weights.Values.Data[i % _s.N] * Part(i / _s.N, i % _s.N, Rows(i % _s.N));
            return all;
        }))
        { Covers = ["RowLoss"], Bytes = rows * _z.Bytes, Tolerance = new(2e-6, 1e-11) };
        yield return new($"{name} gradient", k =>
            k.RowLossGradient(loss, operands, _coefficient, new(dz, _every), new(d2, false), new(d3, _every)),
            Slopes(dz, 0, _every), Slopes(d2, 1, false), Slopes(d3, 2, _every))
        {
            Covers = ["RowLossGradient"],
            Tolerance = _differences,
            Bytes = 2 * rows * _z.Bytes,
        };
        if (!_every) yield break;
        TestTensor z = _make.Plain(_z.Shape), third = _make.Plain(_z.Shape);
        yield return new($"{name} gradient but for the second row's", k =>
            k.RowLossGradient(loss, operands with { Weights = null }, _coefficient, new(z, false), default, new(third, false)),
            Slopes(z, 0, false, weighted: false), Slopes(third, 2, false, weighted: false))
        {
            Covers = ["RowLossGradient"],
            Tolerance = _differences,
        };
    }
}

/// <summary>Central differences in double precision.</summary>
internal static class Differences
{
    /// <summary>
    /// (f(v+h) − f(v−h)) / 2h for one entry. <paramref name="f"/> must read <paramref name="values"/> at every call;
    /// the entry is changed in place and put back.
    /// </summary>
    public static double At(Func<double> f, double[] values, int index, double step)
    {
        double kept = values[index];
        values[index] = kept + step;
        double above = f();
        values[index] = kept - step;
        double below = f();
        values[index] = kept;
        return (above - below) / (2 * step);
    }

    /// <summary>Whether f depends on the values at all; moves all of them, each by another length, and puts them back.</summary>
    public static bool Any(Func<double> f, double[] values)
    {
        double before = f();
        double[] kept = [.. values];
        for (int j = 0; j < values.Length; j++) values[j] += 1 + 0.1 * j;
        bool moves = f() != before;
        kept.CopyTo(values, 0);
        return moves;
    }

    /// <summary>The same at fourth order, whose step is so long that rounding does not matter for values in the thousands.</summary>
    public static double Fine(Func<double> f, double[] values, int index, double step = 1e-3) =>
        (4 * At(f, values, index, step) - At(f, values, index, 2 * step)) / 3;
}

/// <summary>The loss terms of methods.md 2.6 and attacks.md for one row each, written straight from their formulas.</summary>
internal static class ReferenceRowLosses
{
    public static double SoftmaxDot(double[] z, double[] g) => Softmax(z).Zip(g, (p, d) => p * d).Sum();

    public static double Length(double[] z) => Math.Sqrt(z.Sum(v => v * v));

    // A deviation below 1/sqrt(n) counts as that; the value is the one whose gradient is the standardised row.
    public static (double Value, double Divisor) BoundedDeviation(double[] z)
    {
        double squares = Centred(z).Sum(v => v * v), least = 1 / Math.Sqrt(z.Length);
        double deviation = Math.Sqrt(squares / (z.Length - 1));
        return deviation <= least ? (squares / least / 2, least) : (squares / deviation, deviation);
    }

    public static double Deviation(double[] z, double epsilon) =>
        Math.Sqrt(Centred(z).Sum(v => v * v) / z.Length + epsilon);

    /// <summary>A row minus its mean.</summary>
    public static double[] Centred(double[] z)
    {
        double mean = z.Average();
        return Array.ConvertAll(z, v => v - mean);
    }

    public static double CrossEntropy(double[] z, int y) => -LogSoftmax(z)[y];

    public static double SoftCrossEntropy(double[] z, double[] t) => -t.Zip(LogSoftmax(z), (q, logP) => q * logP).Sum();

    public static double Complement(double[] z, int y) => -Math.Log(1.0001 - Softmax(z).Where((_, j) => j != y).Max() + 1e-12);

    public static double Kl(double[] t, double[] z, double scale = 1) =>
        LogSoftmax(t, scale).Zip(LogSoftmax(z, scale), (logQ, logP) => Math.Exp(logQ) * (logQ - logP)).Sum();

    public static double Distillation(double[] t, double[] z, double temperature) =>
        -temperature * temperature * Softmax(t, 1 / temperature).Zip(LogSoftmax(z, 1 / temperature), (q, logP) => q * logP).Sum();

    public static double Mart(double[] t, double[] z, int y) => (1.0000001 - Softmax(t)[y]) * Kl(t, z);

    public static double SquaredProbability(double[] z, double[] t) => Softmax(z).Zip(t, (p, q) => (p - q) * (p - q)).Average();

    /// <summary>Over all pairs of classes, as it is defined.</summary>
    public static double WeightedGaps(double[] a, double[] b, double[] w)
    {
        double sum = 0;
        for (int j = 0; j < a.Length; j++)
            for (int k = 0; k < a.Length; k++) sum += w[j] * w[k] * (a[j] - a[k] - (b[j] - b[k])) * (a[j] - a[k] - (b[j] - b[k])) / 4;
        return sum;
    }

    public static double JensenShannon(double[] a, double[] b, double temperature)
    {
        double[] logP = LogSoftmax(a, 1 / temperature), logQ = LogSoftmax(b, 1 / temperature);
        double[] logM = [.. logP.Zip(logQ, (v, u) => Math.Log(Math.Max((Math.Exp(v) + Math.Exp(u)) / 2, 1e-8)))];
        return 0.5 * logM.Select((m, j) => Math.Exp(logP[j]) * (logP[j] - m) + Math.Exp(logQ[j]) * (logQ[j] - m)).Sum();
    }

    public static double OneVsRest(double[] z, int y) => z.Select((v, j) => SoftPlus(j == y ? -v : v)).Sum();

    public static double SoftMargin(double[] z, int y) => LogSumExp([.. z.Where((_, j) => j != y).Select(v => v - z[y])]);

    public static double Margin(double[] z, int y) => z.Where((_, j) => j != y).Max() - z[y];

    /// <summary>
    /// With fewer than four classes the targeted loss uses the untargeted denominator; with two classes there is no denominator.
    /// </summary>
    public static double Dlr(double[] z, int y, int target = -1)
    {
        double[] sorted = [.. z.OrderDescending()];
        double gap = target < 0 ? -Margin(z, y) : z[y] - z[target];
        if (z.Length < 3) return -gap;
        double low = target < 0 || z.Length < 4 ? sorted[2] : (sorted[2] + sorted[3]) / 2;
        return -gap / (sorted[0] - low + 1e-12);
    }

    /// <summary>RPAT's term at u = z(x̃), a = z(x), b = z(x′): mean of (u − (1 − α)a − αb)².</summary>
    public static double Perception(double[] u, double[] a, double[] b, double alpha) =>
        u.Select((v, j) => v - (1 - alpha) * a[j] - alpha * b[j]).Average(r => r * r);

    /// <summary>From logits minus the largest: a logarithm added to a value near a thousand would lose digits.</summary>
    public static double[] LogSoftmax(double[] z, double scale = 1)
    {
        double max = z.Max(), log = Math.Log(z.Sum(v => Math.Exp(scale * (v - max))));
        return [.. z.Select(v => scale * (v - max) - log)];
    }

    public static double[] Softmax(double[] z, double scale = 1) => [.. LogSoftmax(z, scale).Select(Math.Exp)];

    private static double LogSumExp(double[] z)
    {
        double max = z.Max();
        return max + Math.Log(z.Sum(v => Math.Exp(v - max)));
    }

    private static double SoftPlus(double v) => Math.Max(v, 0) + Math.Log(1 + Math.Exp(-Math.Abs(v)));
}
