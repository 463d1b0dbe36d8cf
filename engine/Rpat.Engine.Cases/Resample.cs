namespace Rpat.Engine.Cases;

/// <summary>Maps whose rows and columns become others by sums with random weights, up to Taps each.</summary>
public readonly record struct ResampleSize(Shape Input, int H, int W, int Taps);

/// <summary>Weighted sums along rows and columns.</summary>
public sealed class ResampleCases : OpCases<ResampleSize>
{
    /// <inheritdoc/>
    public override string Category => "pool";

    /// <inheritdoc/>
    protected override IEnumerable<ResampleSize> RaggedSizes =>
        [new(new(2, 5, 3, 4), 2, 7, 2), new(new(1, 1, 1, 1), 1, 1, 1), new(new(2, 18, 5, 4), 6, 3, 3), new(new(1, 16, 4, 4), 4, 4, 4)];

    /// <inheritdoc/>
    protected override IEnumerable<ResampleSize> WiderSizes => [new(new(3, 19, 9, 8), 5, 12, 3)];

    /// <inheritdoc/>
    protected override IEnumerable<ResampleSize> LayerSizes(int batch) => [new(ActivationSizes.Layer(batch), 16, 16, 2)];

    /// <inheritdoc/>
    protected override IEnumerable<KernelCase> At(TestTensors make, ResampleSize size, bool every)
    {
        TestTensor blocked = make.Blocked(size.Input);
        foreach (var x in every ? [new(blocked), make.View(blocked), new(make.Plain(size.Input))] : new Seen[] { new(blocked) })
            foreach (bool add in Both(every))
                yield return At(make, size, x, add);
        if (!every) yield break;
        // The gradient reads no view and writes through one.
        Seen through = make.View(make.Blocked(size.Input with { H = size.H, W = size.W }));
        yield return At(make, size, new(blocked), true, through);
    }

    private static KernelCase At(TestTensors make, ResampleSize size, Seen x, bool add, Seen? through = null)
    {
        Layout layout = x.X.Layout;
        var s = new ResampleShape(size.Input, layout, size.H, size.W, size.Taps);
        TestTensor y = make.Uniform(s.Output, layout);
        float[] lines = Lines(s);
        TestTensor table = make.Place(new(1, lines.Length), Layout.Plain, lines);
        Array4 Y() => Sums(s, x.Values, lines);
        return new("resample", k => k.Resample(s, x.Operand, table, through?.Operand ?? default, add, y),
            CaseResult.Sum(y, add, () => through is null ? Y() : through.Through(Y())))
        { Covers = ["Resample"], Bytes = x.X.Bytes + y.Bytes };
    }

    /// <summary>A table of random weights; every third output has one input fewer, the fourth none.</summary>
    private static float[] Lines(ResampleShape s)
    {
        var random = new System.Random(5);
        var lines = new float[(s.H + s.W) * s.Line];
        for (int i = 0; i < s.H + s.W; i++)
        {
            int inputs = i < s.H ? s.Input.H : s.Input.W, most = Math.Min(s.Taps, inputs);
            int count = i == 3 ? 0 : i % 3 == 2 ? Math.Max(1, most - 1) : most;
            (lines[i * s.Line], lines[i * s.Line + 1]) = (random.Next(inputs - count + 1), count);
            for (int tap = 0; tap < count; tap++) lines[i * s.Line + 2 + tap] = random.NextSingle() - 0.3f;
        }
        return lines;
    }

    private static Array4 Sums(ResampleShape s, Array4 x, float[] lines)
    {
        Array4 y = new(x.N, x.C, s.H, s.W);
        for (int i = 0; i < y.Length; i++)
        {
            int row = i / s.W % s.H * s.Line, column = (s.H + i % s.W) * s.Line, plane = i / (s.H * s.W);
            for (int a = 0; a < (int)lines[row + 1]; a++)
                for (int b = 0; b < (int)lines[column + 1]; b++)
                    y.Data[i] += (double)lines[row + 2 + a] * lines[column + 2 + b]
                        * x.Data[(plane * x.H + (int)lines[row] + a) * x.W + (int)lines[column] + b];
        }
        return y;
    }
}
