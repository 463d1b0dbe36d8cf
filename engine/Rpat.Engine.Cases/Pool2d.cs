namespace Rpat.Engine.Cases;

/// <summary>An input with the window and stride of the max pooling.</summary>
public readonly record struct PoolSize(Shape Input, int Window, int Stride, int Padding = 0);

/// <summary>Global average pooling and max pooling.</summary>
public sealed class Pool2dCases : OpCases<PoolSize>
{
    /// <inheritdoc/>
    public override string Category => "pool";

    /// <inheritdoc/>
    protected override IEnumerable<PoolSize> RaggedSizes =>
    [
        new(new(2, 5, 6, 7), 2, 2), new(new(1, 4, 5, 5), 3, 1), new(new(2, 17, 7, 6), 3, 2), new(new(1, 1, 5, 5), 1, 2),
        new(new(2, 5, 5, 6), 3, 2, 1),
        .. ActivationSizes.Ragged.Select(s => new PoolSize(s, 1, 1)),
    ];

    /// <inheritdoc/>
    protected override IEnumerable<PoolSize> WiderSizes =>
    [
        .. from c in new[] { 1, 16, 19 }
           from size in new (int H, int W, int Window, int Stride)[]
               { (4, 4, 2, 2), (5, 7, 2, 2), (7, 7, 3, 2), (5, 7, 3, 1), (9, 8, 2, 3), (4, 4, 4, 4), (5, 4, 1, 2) }
           select new PoolSize(new(2, c, size.H, size.W), size.Window, size.Stride),
        new(new(2, 17, 5, 7), 2, 2), new(new(5, 64, 4, 4), 2, 2), new(new(2, 19, 7, 7), 5, 2, 2), new(new(1, 3, 1, 1), 3, 1, 1),
    ];

    /// <inheritdoc/>
    protected override IEnumerable<PoolSize> LayerSizes(int batch) => [new(ActivationSizes.Layer(batch), 2, 2)];

    /// <inheritdoc/>
    protected override IEnumerable<KernelCase> At(TestTensors make, PoolSize size, bool every)
    {
        var x = make.Blocked(size.Input);
        IEnumerable<KernelCase> plain = [.. Means(make, size.Input, new(x), every), .. Maxima(make, size, new(x), every)];
        return every ? plain.Concat(Means(make, size.Input, make.View(x), false)).Concat(Maxima(make, size, make.View(x), false)) : plain;
    }

    private static IEnumerable<KernelCase> Means(TestTensors make, Shape s, Seen x, bool add)
    {
        TestTensor y = make.Plain(new(s.N, s.C)), dy = make.Plain(y.Shape), dx = make.Blocked(s);
        Array4 Y() => ReferencePooling.GlobalAverage(x.Values);
        yield return new("average pool", k => k.GlobalAveragePool(s, x.Operand, y), new CaseResult(y, Y))
        { Covers = ["GlobalAveragePool"], Bytes = x.X.Bytes };
        yield return new("average pool gradient", k => k.GlobalAveragePoolGradient(s, dy, x.Operand, add, dx), CaseResult.GradientBy(
            dx, add, () => x.Through(ReferencePooling.GlobalAverageBackward(x.X.Values, dy.Values)), x.X, () => Y().Dot(dy.Values)))
        {
            Covers = ["GlobalAveragePoolGradient"],
            Bytes = dx.Bytes,
        };
    }

    /// <summary>Where a view clamps, values tie at zero, and the first one in a window gets the gradient.</summary>
    private static IEnumerable<KernelCase> Maxima(TestTensors make, PoolSize size, Seen x, bool add)
    {
        var (s, r, stride, padding) = size;
        Window window = new(stride, padding);
        var shape = new PoolShape(s, r, stride, padding);
        TestTensor y = make.Blocked(s with { H = window.Outputs(s.H, r), W = window.Outputs(s.W, r) }), dy = make.Blocked(y.Shape),
            dx = make.Blocked(s);
        Array4 Y() => ReferencePooling.Max(x.Values, r, window);
        Array4 Dx() => ReferencePooling.MaxBackward(x.Values, dy.Values, r, window);
        yield return new("max pool", k => k.MaxPool(shape, x.Operand, y), new CaseResult(y, Y))
        { Covers = ["MaxPool"], Bytes = x.X.Bytes + y.Bytes };
        yield return new("max pool gradient", k => k.MaxPoolGradient(shape, x.Operand, dy, x.Operand, add, dx),
            CaseResult.GradientBy(dx, add, () => x.Through(Dx()), x.X, () => Y().Dot(dy.Values)))
        {
            Covers = ["MaxPoolGradient"],
            Bytes = x.X.Bytes + dx.Bytes + dy.Bytes,
        };
        if (x.Scale is null) yield break;
        TestTensor seen = make.Blocked(s);
        yield return new("max pool gradient of what is seen", k => k.MaxPoolGradient(shape, x.Operand, dy, x.X.Buffer, true, seen),
            CaseResult.Sum(seen, true, Dx))
        { Covers = ["MaxPoolGradient"] };
    }
}

/// <summary>Pooling over windows of size × size and over whole maps; x is (N, C, H, W).</summary>
internal static class ReferencePooling
{
    /// <summary>The mean of every map: (N, C, 1, 1).</summary>
    public static Array4 GlobalAverage(Array4 x)
    {
        Array4 y = new(x.N, x.C, 1, 1);
        for (int i = 0; i < x.Length; i++) y.Data[i / (x.H * x.W)] += x.Data[i] / (x.H * x.W);
        return y;
    }

    public static Array4 GlobalAverageBackward(Array4 x, Array4 dy)
    {
        Array4 dx = x.Like();
        for (int i = 0; i < x.Length; i++) dx.Data[i] = dy.Data[i / (x.H * x.W)] / (x.H * x.W);
        return dx;
    }

    /// <summary>The largest value of every window; padding never wins.</summary>
    public static Array4 Max(Array4 x, int size, Window window)
    {
        Array4 y = Output(x, size, window);
        int[] winners = Winners(x, y, size, window);
        for (int i = 0; i < y.Length; i++) y.Data[i] = x.Data[winners[i]];
        return y;
    }

    /// <summary>∂L/∂x of max pooling: all of a window's gradient goes to its first largest value in row order.</summary>
    public static Array4 MaxBackward(Array4 x, Array4 dy, int size, Window window)
    {
        Array4 dx = x.Like();
        int[] winners = Winners(x, dy, size, window);
        for (int i = 0; i < dy.Length; i++) dx.Data[winners[i]] += dy.Data[i];
        return dx;
    }

    private static Array4 Output(Array4 x, int size, Window window) =>
        new(x.N, x.C, window.Outputs(x.H, size), window.Outputs(x.W, size));

    private static int[] Winners(Array4 x, Array4 y, int size, Window window)
    {
        int[] winners = new int[y.Length];
        Array.Fill(winners, -1);
        ForEachTap(x, y, size, window, (from, to) =>
        {
            if (winners[to] < 0 || x.Data[from] > x.Data[winners[to]]) winners[to] = from;
        });
        return winners;
    }

    // Visits (input offset, output offset) for every tap inside the image, taps of one output in row order.
    private static void ForEachTap(Array4 x, Array4 y, int size, Window window, Action<int, int> visit)
    {
        for (int to = 0; to < y.Length; to++)
            for (int tap = 0; tap < size * size; tap++)
            {
                int iy = window.Input(to / y.W % y.H, tap / size), ix = window.Input(to % y.W, tap % size);
                if ((uint)iy >= (uint)x.H || (uint)ix >= (uint)x.W) continue;
                int map = to / (y.H * y.W);
                visit((map * x.H + iy) * x.W + ix, to);
            }
    }
}
