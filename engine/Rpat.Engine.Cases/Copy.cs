namespace Rpat.Engine.Cases;

/// <summary>A copy, written as what it takes where.</summary>
public readonly record struct CopySize(string Name, CopyShape Shape)
{
    /// <inheritdoc/>
    public override string ToString() => Name;
}

/// <summary>Shifted, joined, padded and permuted copies, between all layouts.</summary>
public sealed class CopyCases : OpCases<CopySize>
{
    private static readonly Shape _small = new(2, 5, 3, 4), _wide = new(2, 19, 3, 4);

    /// <inheritdoc/>
    public override string Category => "pointwise";

    /// <inheritdoc/>
    protected override IEnumerable<CopySize> RaggedSizes =>
    [
        .. from layout in Enum.GetValues<Layout>()
           from size in Shifted(layout)
           select size,
        .. from shape in ActivationSizes.Ragged
           from way in new[] { (Layout.Plain, Layout.Blocked), (Layout.Blocked, Layout.Plain) }
           select new CopySize($"{way.Item1} to {way.Item2} {shape}", new(shape, way.Item1, shape, way.Item2)),
        new("permuted", new(_small, Layout.Plain, new(5, 2, 4, 3), Layout.Plain) { Order = new(1, 0, 3, 2) }),
        new("turned and cut",
            new(_small, Layout.Plain, new(3, 4, 2, 4), Layout.Plain) { Order = new(2, 3, 0, 1), Offset = new(0, 1, 0, 0) }),
    ];

    /// <inheritdoc/>
    protected override IEnumerable<CopySize> WiderSizes =>
        [new("channels of many", new(new(5, 64, 7, 9), Layout.Blocked, new(5, 32, 7, 9), Layout.Blocked) { Offset = new(0, 16, 0, 0) })];

    /// <inheritdoc/>
    protected override IEnumerable<CopySize> LayerSizes(int batch) =>
    [
        new("half the channels", new(ActivationSizes.Layer(batch), Layout.Blocked, ActivationSizes.Layer(batch) with { C = 32 },
            Layout.Blocked)),
    ];

    /// <inheritdoc/>
    protected override IEnumerable<KernelCase> At(TestTensors make, CopySize size, bool every)
    {
        CopyShape s = size.Shape;
        foreach (bool add in Both(every))
        {
            TestTensor x = make.Uniform(s.From, s.FromLayout), y = make.Uniform(s.To, s.ToLayout),
                dy = make.Uniform(s.To, s.ToLayout), dx = make.Uniform(s.From, s.FromLayout);
            yield return new($"copy {size}", k => k.Copy(s, x, add, y), new CaseResult(y, () => Copied(s, x.Values, y.Values, add)))
            { Covers = ["Copy"], Bytes = 2 * y.Bytes, SameBits = true };
            // What the copy does not write has no gradient: only whole copies have an inverse.
            if (s.Begin != default || s.End != Axes.Of(s.To)) continue;
            yield return new($"copy back {size}", k => k.Copy(s.Inverse, dy, add, dx), CaseResult.GradientBy(dx, add,
                () => Copied(s.Inverse, dy.Values, dx.Values, false), x, () => Copied(s, x.Values, y.Values, false).Dot(dy.Values)))
            { Covers = ["Copy"], Bytes = 2 * dx.Bytes };
        }
    }

    private static IEnumerable<CopySize> Shifted(Layout layout)
    {
        CopySize Made(string name, CopyShape shape) => new($"{name} {layout}", shape);
        yield return Made("a part", new(_wide, layout, new(1, 2, 2, 3), layout) { Offset = new(1, 3, 1, 1) });
        yield return Made("a border", new(_small, layout, new(2, 5, 6, 5), layout) { Offset = new(0, 0, -2, -1) });
        yield return Made("first channels", new(_small, layout, _wide, layout) { End = new(2, 5, 3, 4) });
        yield return Made("last channels",
            new(_small, layout, _wide, layout) { Offset = new(0, -14, 0, 0), Begin = new(0, 14, 0, 0), End = Axes.Of(_wide) });
        yield return Made("second samples",
            new(_small, layout, _small with { N = 4 }, layout)
            { Offset = new(-2, 0, 0, 0), Begin = new(2, 0, 0, 0), End = new(4, 5, 3, 4) });
    }

    /// <summary>The definition: y at each index that is written.</summary>
    private static Array4 Copied(CopyShape s, Array4 x, Array4 y, bool add)
    {
        Array4 all = y.Clone();
        for (int n = s.Begin.N; n < s.End.N; n++)
            for (int c = s.Begin.C; c < s.End.C; c++)
                for (int h = s.Begin.H; h < s.End.H; h++)
                    for (int w = s.Begin.W; w < s.End.W; w++)
                    {
                        int[] to = [n, c, h, w], from = [.. Enumerable.Range(0, 4).Select(axis => to[s.Order[axis]] + s.Offset[axis])];
                        bool inside = from.Select((index, axis) => index >= 0 && index < Axes.Of(s.From)[axis]).All(within => within);
                        all[n, c, h, w] = (add ? all[n, c, h, w] : 0) + (inside ? x[from[0], from[1], from[2], from[3]] : 0);
                    }
        return all;
    }
}
