namespace Rpat.Engine.Cases;

/// <summary>Interpolated tensors, and scaled copies.</summary>
public sealed class LerpCases : OpCases<Shape>
{
    private const float T = 0.3f;

    /// <inheritdoc/>
    public override string Category => "images";

    /// <summary>The values after the last whole block of four or sixteen are read and written too, and nothing beyond them.</summary>
    protected override IEnumerable<Shape> RaggedSizes => [new(1, 1), new(1, 2), new(1, 3), new(1, 4), new(1, 7), new(1, 1025)];

    /// <inheritdoc/>
    protected override IEnumerable<Shape> WiderSizes => [new(2, 3, 5, 7), new(30, 3, 28, 28)];

    /// <inheritdoc/>
    protected override IEnumerable<Shape> LayerSizes(int batch) => [new(batch, 3, 32, 32)];

    /// <inheritdoc/>
    protected override IEnumerable<KernelCase> At(TestTensors make, Shape s, bool every)
    {
        TestTensor a = make.Plain(s), b = make.Plain(s), y = make.Plain(s), dy = make.Plain(s), copy = make.Plain(s);
        Array4 Y(double t) => ReferenceElementwise.Lerp(a.Values, b.Values, t);
        yield return new("interpolation", k => k.Lerp(s.Count, a, b, T, y), new CaseResult(y, () => Y(T)))
        { Covers = ["Lerp"], Bytes = 3 * y.Bytes };
        yield return new("copy: y = 1·x", k => k.Scale(s.Count, a, 1, false, copy), new CaseResult(copy, () => a.Values))
        {
            Covers = ["Scale"],
            Bytes = 2 * y.Bytes,
            SameBits = true,
        };
        if (!every) yield break;
        foreach (float t in new[] { 0, 1 })
            yield return new($"interpolation to {t}", k => k.Lerp(s.Count, a, b, t, y), new CaseResult(y, () => Y(t)))
            { Covers = ["Lerp"] };
        foreach (var (by, factor) in new[] { (a, 1 - T), (b, T) })
            foreach (bool add in Both(every))
            {
                TestTensor dx = make.Plain(s);
                yield return new("interpolation gradient", k => k.Scale(s.Count, dy, factor, add, dx),
                    CaseResult.GradientBy(dx, add, () => dy.Values.Map(g => factor * g), by, () => Y(T).Dot(dy.Values)))
                { Covers = ["Scale"] };
            }
        yield return IntoAView(make);
    }

    /// <summary>Values outside the view do not change.</summary>
    private static KernelCase IntoAView(TestTensors make)
    {
        const int count = 6, all = 9;
        TestTensor x = make.Row(all), y = make.Row(all);
        return new("scaling into a view", k => k.Scale(count, x, 2, false, y.Buffer.View(0, count)), new CaseResult(y, () =>
            Array4.From(1, all, 1, 1, [.. x.Values.Data[..count].Select(v => 2 * v), .. y.Values.Data[count..]])))
        {
            Covers = ["Scale"],
            SameBits = true,
        };
    }
}
