namespace Rpat.Trainer.Bench.Kernels;

/// <summary>Everything else on activations: batch norm, additions, pooling, biases, layouts, the linear layer.</summary>
internal static class LayerCases
{
    private const float NormEpsilon = Engine.Ops.BatchNorm2d.Epsilon;

    public static IEnumerable<Func<Givens, IEnumerable<KernelCase>>> Groups(KernelSizes sizes)
    {
        var s = new Shape(sizes.Batch, sizes.Map.Channels, sizes.Map.Side, sizes.Map.Side);
        yield return make => Norm(make, s);
        yield return make => Pointwise(make, s);
        yield return make => Pool(make, s);
        yield return make => Layouts(make, s);
        yield return make => Linear(make, sizes.Batch, sizes.Features, sizes.Classes);
    }

    private static IEnumerable<KernelCase> Norm(Givens make, Shape s)
    {
        Given x = make.Blocked(s), dh = make.Blocked(s), dx = make.Blocked(s);
        Given gamma = make.Plain(new Shape(1, s.C), 0.5, 1.5), beta = make.Plain(gamma.Shape);
        Given mean = make.Plain(gamma.Shape), variance = make.Plain(gamma.Shape, 0.5, 1.5);
        Given[] kept = [make.Channels(s.C), make.Channels(s.C, 0.5, 1.5), make.Channels(s.C), make.Channels(s.C)];
        var state = new BatchNormState(gamma, beta, mean, variance);
        Given shift = make.Channels(s.C), constant = make.Channels(s.C);
        var trained = new BatchNormSaved(make.Channels(s.C), make.Channels(s.C), make.Channels(s.C), shift);
        var evaluated = new BatchNormSaved(make.Channels(s.C), make.Channels(s.C), make.Channels(s.C), constant);
        var saved = new BatchNormSaved(kept[0], kept[1], kept[2], kept[3]);
        var moments = Cached(c => Moments(x, c));
        var sums = Cached(c => GradientSums(x, dh, kept, c));
        yield return new KernelCase("batch norm statistics", shift, k => k.BatchNormTrain(s, x, state, false, trained), at =>
            beta[at.C] - gamma[at.C] / Math.Sqrt(moments(at.C).Variance + NormEpsilon) * moments(at.C).Mean)
        {
            Covers = ["BatchNormTrain"],
            Bytes = x.Bytes,
        };
        yield return new KernelCase("batch norm of evaluation", constant, k => k.BatchNormEval(s.C, state, evaluated), at =>
            beta[at.C] - gamma[at.C] / Math.Sqrt(variance[at.C] + NormEpsilon) * mean[at.C])
        {
            Covers = ["BatchNormEval"],
            Bytes = gamma.Bytes + beta.Bytes + mean.Bytes + variance.Bytes + 2 * constant.Bytes,
        };
        yield return new KernelCase("batch norm gradient", dx, k => k.BatchNormBackward(s, x, dh, saved, true, true, new BatchNormGradients(null, null, false, dx, false)),
            at => kept[2][at.C] * (Passed(x, dh, kept, at) - sums(at.C).Mean - Standard(x, kept, at) * sums(at.C).Product))
        {
            Covers = ["BatchNormBackward"],
            Bytes = 2 * (x.Bytes + dh.Bytes) + dx.Bytes,
        };
        int line = make.Device.ChannelLength(s.C);
        Given lines = make.Plain(new Shape(1, 2 * line)), part = make.Blocked(s);
        yield return new KernelCase("batch norm gradient of a part", part, k => k.BatchNormInputGradient(s, x, dh, saved, true, lines, false, part),
            at => kept[2][at.C] * Passed(x, dh, kept, at) + lines[at.C] * x[at.I] + lines[line + at.C])
        {
            Covers = ["BatchNormInputGradient"],
            Bytes = x.Bytes + dh.Bytes + part.Bytes,
        };
    }

    private static (double Mean, double Variance) Moments(Given x, int c)
    {
        double sum = 0, squares = 0;
        foreach (var at in Channel(x.Shape, c)) sum += x[at.I];
        double mean = sum / (x.Shape.N * x.Shape.Area);
        foreach (var at in Channel(x.Shape, c)) squares += (x[at.I] - mean) * (x[at.I] - mean);
        return (mean, squares / (x.Shape.N * x.Shape.Area));
    }

    /// <summary>Means of g and of g·x̂ over a channel.</summary>
    private static (double Mean, double Product) GradientSums(Given x, Given dh, Given[] kept, int c)
    {
        double sum = 0, product = 0;
        foreach (var at in Channel(x.Shape, c))
        {
            double g = Passed(x, dh, kept, at);
            sum += g;
            product += g * Standard(x, kept, at);
        }
        return (sum / (x.Shape.N * x.Shape.Area), product / (x.Shape.N * x.Shape.Area));
    }

    private static double Passed(Given x, Given dh, Given[] kept, Place at) => kept[2][at.C] * x[at.I] + kept[3][at.C] > 0 ? dh[at.I] : 0;

    private static double Standard(Given x, Given[] kept, Place at) => (x[at.I] - kept[0][at.C]) * kept[1][at.C];

    private static IEnumerable<KernelCase> Pointwise(Givens make, Shape s)
    {
        Given a = make.Blocked(s), b = make.Blocked(s), y = make.Blocked(s), mask = make.Blocked(s), scale = make.Channels(s.C), shift = make.Channels(s.C);
        var view = new Operand(a, scale, shift, true);
        double Seen(Place at) => Math.Max(0, scale[at.C] * a[at.I] + shift[at.C]);
        yield return new KernelCase("relu(scale·x + shift)", y, k => k.Apply(s, Layout.Blocked, view, y), Seen) { Covers = ["Apply"], Bytes = 2 * y.Bytes };
        yield return new KernelCase("add, relu", y, k => k.Add(s, a.Buffer, b.Buffer, true, y), at => Math.Max(0, a[at.I] + b[at.I]))
        {
            Covers = ["Add"],
            Bytes = 3 * y.Bytes,
        };
        yield return new KernelCase("add gradient", y, k => k.AddGradient(s, Layout.Blocked, b, mask, view, false, y),
            at => mask[at.I] > 0 && Seen(at) > 0 ? scale[at.C] * b[at.I] : 0)
        {
            Covers = ["AddGradient"],
            Bytes = 4 * y.Bytes,
        };
    }

    private static IEnumerable<KernelCase> Pool(Givens make, Shape s)
    {
        Given x = make.Blocked(s), y = make.Plain(new Shape(s.N, s.C)), dx = make.Blocked(s);
        Given most = make.Blocked(s with { H = s.H / 2, W = s.W / 2 }), given = make.Blocked(most.Shape);
        yield return new KernelCase("average pool", y, k => k.GlobalAveragePool(s, x.Buffer, y), at => Map(s, at).Sum(p => x[p.I]) / s.Area)
        {
            Covers = ["GlobalAveragePool"],
            Bytes = x.Bytes,
        };
        yield return new KernelCase("average pool gradient", dx, k => k.GlobalAveragePoolGradient(s, y, default, false, dx), at => Map(s, at).Sum(p => x[p.I]) / s.Area / s.Area)
        {
            Covers = ["GlobalAveragePoolGradient"], // of the averages that the case before left
            Bytes = dx.Bytes,
        };
        yield return new KernelCase("max pool", most, k => k.MaxPool(s, 2, 2, x.Buffer, most), at => Window(s, at).Max(p => x[p.I]))
        {
            Covers = ["MaxPool"],
            Bytes = x.Bytes + most.Bytes,
        };
        yield return new KernelCase("max pool gradient", dx, k => k.MaxPoolGradient(s, 2, 2, x.Buffer, given, default, false, dx), at =>
        {
            var of = new Place(at.N, at.C, at.Y / 2, at.X / 2, 0);
            return Window(s, of).MaxBy(p => x[p.I]).I == at.I ? given[at.N, at.C, of.Y, of.X] : 0;
        })
        {
            Covers = ["MaxPoolGradient"],
            Bytes = x.Bytes + dx.Bytes + given.Bytes,
        };
    }

    private static IEnumerable<KernelCase> Layouts(Givens make, Shape s)
    {
        Given plain = make.Plain(s), there = make.Blocked(s), back = make.Plain(s), y = make.Blocked(s), bias = make.Plain(new Shape(1, s.C)), sum = make.Plain(bias.Shape);
        yield return new KernelCase("plain to activations", there, k => k.ToActivations(s, plain, there), at => plain[at.I]) { Covers = ["ToActivations"], Bytes = 2 * plain.Bytes };
        yield return new KernelCase("activations to plain", back, k => k.FromActivations(s, there, false, back), at => plain[at.I]) { Covers = ["FromActivations"], Bytes = 2 * plain.Bytes };
        yield return new KernelCase("channel bias", y, k => k.ChannelBias(s, there.Buffer, bias, y), at => plain[at.I] + bias[at.C]) { Covers = ["ChannelBias"], Bytes = 2 * y.Bytes };
        yield return new KernelCase("channel bias gradient", sum, k => k.ChannelBiasGradient(s, there, false, sum), at => Channel(s, at.C).Sum(p => plain[p.I]))
        {
            Covers = ["ChannelBiasGradient"],
            Bytes = there.Bytes,
        };
    }

    private static IEnumerable<KernelCase> Linear(Givens make, int n, int c, int classes)
    {
        Given x = make.Plain(new Shape(n, c)), w = make.Plain(new Shape(classes, c)), bias = make.Plain(new Shape(1, classes)), dy = make.Plain(new Shape(n, classes));
        Given y = make.Plain(dy.Shape), dx = make.Plain(x.Shape), dw = make.Plain(w.Shape), db = make.Plain(bias.Shape);
        yield return new KernelCase("linear forward", y, k => k.LinearForward(n, c, classes, x, w, bias, y), at => bias[at.C] + Sum(c, i => x[at.N, i] * w[at.C, i]))
        {
            Covers = ["LinearForward"],
            Bytes = x.Bytes + w.Bytes + y.Bytes,
            Gemm = new(n, classes, c),
        };
        yield return new KernelCase("linear dx", dx, k => k.LinearInputGradient(n, c, classes, dy, w, false, dx), at => Sum(classes, j => dy[at.N, j] * w[j, at.C]))
        {
            Covers = ["LinearInputGradient"],
            Bytes = dx.Bytes + w.Bytes + dy.Bytes,
            Gemm = new(n, c, classes),
        };
        yield return new KernelCase("linear dw", dw, k => k.LinearWeightGradient(n, c, classes, x, dy, false, dw, db), at => Sum(n, i => dy[i, at.N] * x[i, at.C]))
        {
            Covers = ["LinearWeightGradient"],
            Bytes = x.Bytes + dw.Bytes + dy.Bytes,
            Gemm = new(classes, c, n),
        };
    }

    private static double Sum(int count, Func<int, double> term) => Enumerable.Range(0, count).Sum(term);

    private static IEnumerable<Place> Channel(Shape s, int c) =>
        from n in Enumerable.Range(0, s.N)
        from i in Enumerable.Range((n * s.C + c) * s.Area, s.Area)
        select new Place(n, c, 0, 0, i);

    private static IEnumerable<Place> Map(Shape s, Place at) =>
        Enumerable.Range((at.N * s.C + at.C) * s.Area, s.Area).Select(i => new Place(at.N, at.C, 0, 0, i));

    private static IEnumerable<Place> Window(Shape s, Place at) =>
        from y in new[] { 2 * at.Y, 2 * at.Y + 1 }
        from x in new[] { 2 * at.X, 2 * at.X + 1 }
        select new Place(at.N, at.C, y, x, ((at.N * s.C + at.C) * s.H + y) * s.W + x);

    private static Func<int, T> Cached<T>(Func<int, T> make)
    {
        var known = new Dictionary<int, T>();
        return c => known.TryGetValue(c, out var value) ? value : known[c] = make(c);
    }
}
