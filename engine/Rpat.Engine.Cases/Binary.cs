using Rpat.Nn.Ops;

namespace Rpat.Engine.Cases;

/// <summary>Arithmetic of two tensors, the second of the same size or spread over the first.</summary>
public sealed class BinaryCases : OpCases<Shape>
{
    /// <inheritdoc/>
    public override string Category => "pointwise";

    /// <inheritdoc/>
    protected override IEnumerable<Shape> RaggedSizes => ActivationSizes.Ragged;

    /// <inheritdoc/>
    protected override IEnumerable<Shape> WiderSizes => [new(3, 17, 5, 7)];

    /// <inheritdoc/>
    protected override IEnumerable<Shape> LayerSizes(int batch) => [ActivationSizes.Layer(batch)];

    /// <inheritdoc/>
    protected override IEnumerable<KernelCase> At(TestTensors make, Shape s, bool every)
    {
        foreach (var layout in every ? Enum.GetValues<Layout>() : [Layout.Blocked])
            foreach (var shape in Spreads(s, layout).Take(every ? 5 : 2))
            {
                foreach (var one in Of(make, shape, "multiply", new Multiply(), (a, b) => a * b, (_, b) => b, (a, _) => a, every))
                    yield return one;
                if (!every) continue;
                var others = Of(make, shape, "subtract", new Add(-1), (a, b) => a - b, (_, _) => 1, (_, _) => -1, true)
                    .Concat(Of(make, shape, "divide", new Divide(), (a, b) => a / b, (_, b) => 1 / b, (a, b) => -a / b / b, true))
                    .Concat(Of(make, shape, "masked", new Masked(1.25), (a, b) => 1.25 * a * b, (_, b) => 1.25 * b,
                        (a, _) => 1.25 * a, true));
                foreach (var one in others) yield return one;
            }
    }

    /// <summary>Equal sizes, per sample and channel, per channel, per sample, one number.</summary>
    private static BinaryShape[] Spreads(Shape s, Layout layout) =>
        [new(s, layout), new(s, layout, true, s.C, 1), new(s, layout, true, 0, 1), new(s, layout, true, 1, 0), new(s, layout, true, 0, 0)];

    private static IEnumerable<KernelCase> Of<TOp>(TestTensors make, BinaryShape s, string name, TOp op, Func<double, double, double> f,
        Func<double, double, double> byA, Func<double, double, double> byB, bool every)
        where TOp : struct, IBinary
    {
        string what = s.IsSpread ? $"{name} by [{(s.SampleStride > 0 ? "N" : "1")}, {(s.ChannelStride > 0 ? "C" : "1")}]" : name;
        Shape given = !s.IsSpread ? s.Shape : new(s.SampleStride > 0 ? s.Shape.N : 1, s.ChannelStride > 0 ? s.Shape.C : 1);
        TestTensor a = make.Uniform(s.Shape, s.Layout), b = make.Uniform(given, s.IsSpread ? Layout.Plain : s.Layout, 0.5, 1.5),
            y = make.Uniform(s.Shape, s.Layout), dy = make.Uniform(s.Shape, s.Layout);
        Array4 Zip(Func<double, double, double> g) => Map(s, a.Values, b.Values, g);
        double Loss() => Zip(f).Dot(dy.Values);
        yield return new(what, k => k.Binary(op, s, a, b, y), new CaseResult(y, () => Zip(f)))
        { Covers = ["Binary"], Bytes = 2 * y.Bytes };
        foreach (bool add in Both(every))
        {
            TestTensor da = make.Uniform(s.Shape, s.Layout), db = make.Uniform(b.Shape, b.Layout);
            yield return new($"{what}, gradient of a", k => k.BinaryGradient(op, s, a, b, dy, false, add, da),
                CaseResult.GradientBy(da, add, () => Zip(byA).Zip(dy.Values, (d, g) => d * g), a, Loss))
            { Covers = ["BinaryGradient"], Bytes = 3 * da.Bytes };
            yield return new($"{what}, gradient of b", k => k.BinaryGradient(op, s, a, b, dy, true, add, db),
                CaseResult.GradientBy(db, add, () => Collected(s, Zip(byB).Zip(dy.Values, (d, g) => d * g), b.Values), b, Loss))
            { Covers = ["BinaryGradient"], Bytes = 2 * dy.Bytes };
        }
    }

    private static int Index(BinaryShape s, int i) =>
        !s.IsSpread ? i : i / s.Shape.SampleCount * s.SampleStride + i / s.Shape.Area % s.Shape.C * s.ChannelStride;

    private static Array4 Map(BinaryShape s, Array4 a, Array4 b, Func<double, double, double> f)
    {
        Array4 y = a.Like();
        for (int i = 0; i < y.Length; i++) y.Data[i] = f(a.Data[i], b.Data[Index(s, i)]);
        return y;
    }

    private static Array4 Collected(BinaryShape s, Array4 terms, Array4 b)
    {
        Array4 sums = b.Like();
        for (int i = 0; i < terms.Length; i++) sums.Data[Index(s, i)] += terms.Data[i];
        return sums;
    }
}
