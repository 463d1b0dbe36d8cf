namespace Rpat.Trainer.Bench.Kernels;

/// <summary>Convolutions at the sizes of PreActResNet-18's layers, a depthwise one of MobileNetV2's, and the arithmetic that they stand for.</summary>
internal static class ConvolutionCases
{
    /// <summary>A group of cases for each layer; memory is freed between groups.</summary>
    public static IEnumerable<Func<Givens, IEnumerable<KernelCase>>> Groups(KernelSizes sizes)
    {
        foreach (var (c, side, k, r, stride) in sizes.Layers)
        {
            var s = new ConvShape(new Shape(sizes.Batch, c, side, side), c == 3 ? Layout.Plain : Layout.Blocked, k, r, stride, r / 2);
            yield return make => Dense(make, s);
        }
        var (channels, size) = sizes.Depthwise;
        yield return make => Depthwise(make, new DepthwiseShape(new Shape(sizes.Batch, channels, size, size), 3, 1, 1));
    }

    private static IEnumerable<KernelCase> Dense(Givens make, ConvShape s)
    {
        string size = $"{s.R}x{s.R} {s.C}x{s.Input.H}x{s.Input.W}->{s.K}/{s.Stride} {make.Device.Kernels.Conv2dAlgorithm(s)}";
        Given x = s.InputLayout == Layout.Plain ? make.Plain(s.Input) : make.Blocked(s.Input), dx = s.InputLayout == Layout.Plain ? make.Plain(s.Input) : make.Blocked(s.Input);
        Given y = make.Blocked(s.Output), dy = make.Blocked(s.Output), w = make.Plain(new Shape(s.K, s.C, s.R, s.R)), dw = make.Plain(w.Shape);
        DeviceBuffer forward = Arranged(make, s, w, false), gradient = Arranged(make, s, w, true);
        int pixels = s.Input.N * s.P * s.Q, taps = s.C * s.R * s.R;
        yield return new KernelCase($"conv forward {size}", y, k => k.Conv2dForward(s, x.Buffer, forward, null, y), at => Forward(s, x, w, at))
        {
            Covers = ["Conv2dForward", "Conv2dArrangeFilters", "Conv2dFilterLength", "Conv2dAlgorithm"],
            Flops = s.Flops,
            Bytes = x.Bytes + y.Bytes,
            Gemm = new(pixels, s.K, taps),
        };
        yield return new KernelCase($"conv dx {size}", dx, k => k.Conv2dInputGradient(s, dy, gradient, default, false, dx), at => InputGradient(s, dy, w, at))
        {
            Covers = ["Conv2dInputGradient"],
            Flops = s.Flops,
            Bytes = dy.Bytes + dx.Bytes,
            Gemm = new(pixels, taps, s.K),
        };
        yield return new KernelCase($"conv dw {size}", dw, k => k.Conv2dWeightGradient(s, x.Buffer, dy, false, dw), at => WeightGradient(s, x, dy, at))
        {
            Covers = ["Conv2dWeightGradient"],
            Flops = s.Flops,
            Bytes = x.Bytes + dy.Bytes,
            Gemm = new(s.K, taps, pixels),
        };
    }

    private static IEnumerable<KernelCase> Depthwise(Givens make, DepthwiseShape s)
    {
        Given x = make.Blocked(s.Input), dx = make.Blocked(s.Input), y = make.Blocked(s.Output), dy = make.Blocked(s.Output);
        Given w = make.Plain(new Shape(s.Input.C, 1, s.R, s.R)), dw = make.Plain(w.Shape);
        var one = new ConvShape(s.Input, Layout.Blocked, s.Input.C, s.R, s.Stride, s.Padding);
        yield return new KernelCase("depthwise forward", y, k => k.DepthwiseForward(s, x.Buffer, w, y), at => Windows(one, at).Sum(t => x[at.N, at.C, t.Y, t.X] * w[at.C, 0, t.R, t.S]))
        {
            Covers = ["DepthwiseForward"],
            Bytes = x.Bytes + y.Bytes,
        };
        yield return new KernelCase("depthwise dx", dx, k => k.DepthwiseInputGradient(s, dy, w, default, false, dx),
            at => Outputs(one, at).Sum(t => dy[at.N, at.C, t.P, t.Q] * w[at.C, 0, t.R, t.S]))
        {
            Covers = ["DepthwiseInputGradient"],
            Bytes = dx.Bytes + dy.Bytes,
        };
        yield return new KernelCase("depthwise dw", dw, k => k.DepthwiseWeightGradient(s, x.Buffer, dy, false, dw),
            at => Pairs(one, at.Y, at.X).Sum(t => x[t.N, at.N, t.Y, t.X] * dy[t.N, at.N, t.P, t.Q]))
        {
            Covers = ["DepthwiseWeightGradient"],
            Bytes = x.Bytes + dy.Bytes,
        };
    }

    private static DeviceBuffer Arranged(Givens make, ConvShape s, Given w, bool inputGradient)
    {
        long length = make.Device.Kernels.Conv2dFilterLength(s, inputGradient);
        if (length == 0) return w;
        var filters = make.Allocate(length);
        make.Device.Kernels.Conv2dArrangeFilters(s, inputGradient, w, filters);
        return filters;
    }

    private static double Forward(ConvShape s, Given x, Given w, Place at)
    {
        double sum = 0;
        foreach (var t in Windows(s, at))
            for (int c = 0; c < s.C; c++) sum += x[at.N, c, t.Y, t.X] * w[at.C, c, t.R, t.S];
        return sum;
    }

    private static double InputGradient(ConvShape s, Given dy, Given w, Place at)
    {
        double sum = 0;
        foreach (var t in Outputs(s, at))
            for (int k = 0; k < s.K; k++) sum += dy[at.N, k, t.P, t.Q] * w[k, at.C, t.R, t.S];
        return sum;
    }

    private static double WeightGradient(ConvShape s, Given x, Given dy, Place at) =>
        Pairs(s, at.Y, at.X).Sum(t => x[t.N, at.C, t.Y, t.X] * dy[t.N, at.N, t.P, t.Q]);

    /// <summary>The taps (r, s) of an output pixel and the input pixels (y, x) under them.</summary>
    private static IEnumerable<(int R, int S, int Y, int X)> Windows(ConvShape s, Place at) =>
        from r in Enumerable.Range(0, s.R)
        from t in Enumerable.Range(0, s.R)
        let y = at.Y * s.Stride + r - s.Padding
        let x = at.X * s.Stride + t - s.Padding
        where y >= 0 && y < s.Input.H && x >= 0 && x < s.Input.W
        select (r, t, y, x);

    /// <summary>The taps that meet an input pixel and the output pixels (p, q) that they belong to.</summary>
    private static IEnumerable<(int R, int S, int P, int Q)> Outputs(ConvShape s, Place at) =>
        from r in Enumerable.Range(0, s.R)
        from t in Enumerable.Range(0, s.R)
        let y = at.Y + s.Padding - r
        let x = at.X + s.Padding - t
        where y >= 0 && x >= 0 && y % s.Stride == 0 && x % s.Stride == 0 && y / s.Stride < s.P && x / s.Stride < s.Q
        select (r, t, y / s.Stride, x / s.Stride);

    /// <summary>All output pixels of all samples with the input pixel under one tap.</summary>
    private static IEnumerable<(int N, int P, int Q, int Y, int X)> Pairs(ConvShape s, int r, int t) =>
        from n in Enumerable.Range(0, s.Input.N)
        from p in Enumerable.Range(0, s.P)
        from q in Enumerable.Range(0, s.Q)
        let y = p * s.Stride + r - s.Padding
        let x = q * s.Stride + t - s.Padding
        where y >= 0 && y < s.Input.H && x >= 0 && x < s.Input.W
        select (n, p, q, y, x);
}
