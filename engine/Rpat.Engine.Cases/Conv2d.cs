namespace Rpat.Engine.Cases;

/// <summary>Convolutions of images and of activations.</summary>
public sealed class Conv2dCases : OpCases<ConvShape>
{
    /// <inheritdoc/>
    public override string Category => "conv";

    /// <inheritdoc/>
    protected override IEnumerable<ConvShape> RaggedSizes =>
    [
        Blocked(2, 3, 5, 7, 5, 3, 1, 1), Blocked(1, 1, 4, 4, 1, 3, 1, 1), Blocked(3, 17, 5, 8, 70, 3, 2, 1),
        Blocked(2, 8, 7, 5, 66, 1, 1, 0),
        Blocked(2, 6, 7, 6, 9, 1, 2, 0), Blocked(1, 5, 6, 6, 7, 5, 2, 2), Blocked(1, 4, 5, 5, 4, 3, 3, 0),
        Blocked(3, 16, 8, 8, 16, 3, 1, 1),
        Blocked(1, 132, 2, 2, 20, 3, 1, 1), Plain(2, 3, 8, 6, 16, 3, 1, 1), Plain(2, 1, 7, 7, 5, 3, 2, 1),
        Blocked(3, 3, 5, 8, 70, 3, 2, 1), Blocked(2, 17, 6, 8, 33, 3, 2, 0) with { Trailing = 1 },
    ];

    /// <inheritdoc/>
    protected override IEnumerable<ConvShape> WiderSizes =>
    [
        .. Geometries,
        Blocked(5, 1, 7, 7, 3, 3, 1, 1), Blocked(2, 3, 9, 4, 16, 3, 1, 1), Blocked(2, 16, 5, 7, 17, 3, 1, 1),
        Blocked(1, 17, 7, 7, 48, 3, 1, 1),
        Blocked(5, 32, 4, 4, 32, 3, 1, 1), Blocked(2, 48, 7, 7, 64, 3, 1, 1), Blocked(1, 64, 8, 8, 80, 3, 1, 1),
        Blocked(2, 80, 5, 7, 48, 3, 2, 1),
        Blocked(1, 160, 5, 5, 64, 3, 1, 1), Blocked(1, 64, 5, 5, 160, 3, 1, 1), Blocked(1, 16, 3, 3, 16, 3, 1, 1),
        Blocked(2, 17, 1, 1, 33, 1, 1, 0),
        Blocked(5, 160, 1, 1, 80, 1, 1, 0), Blocked(2, 48, 7, 7, 96, 1, 2, 0), Blocked(2, 32, 8, 8, 17, 3, 2, 1),
        Blocked(1, 16, 1, 1, 16, 3, 1, 1),
        Blocked(13, 16, 9, 9, 16, 3, 1, 1), Blocked(13, 144, 11, 11, 33, 1, 2, 0), Blocked(9, 17, 22, 22, 19, 3, 2, 1),
        Plain(1, 1, 28, 28, 16, 3, 1, 1), Plain(5, 1, 28, 28, 17, 3, 2, 1), Plain(2, 3, 32, 32, 64, 3, 1, 1),
        Plain(2, 3, 16, 16, 80, 5, 1, 2),
        Plain(1, 16, 9, 9, 32, 3, 1, 1), Plain(1, 17, 9, 9, 3, 3, 2, 1), Plain(1, 400, 5, 5, 16, 1, 2, 0),
        Plain(3, 3, 11, 9, 33, 3, 1, 1), Blocked(3, 17, 11, 9, 33, 3, 1, 1), Blocked(3, 17, 11, 9, 33, 3, 2, 1),
        Blocked(3, 17, 11, 9, 33, 1, 1, 0),
        // Tiles of which the last has fewer rows than a product stores, in several pieces of the inputs.
        Blocked(7, 512, 4, 4, 512, 3, 1, 1), Blocked(11, 272, 8, 8, 528, 3, 2, 1),
        // A short strip whose surplus pixels are far apart.
        Blocked(1, 16, 66, 66, 16, 2, 64, 0),
        .. LayerSizes(batch: 2),
    ];

    /// <summary>Every kernel, stride and padding on odd maps.</summary>
    private static IEnumerable<ConvShape> Geometries =>
        from layout in Enum.GetValues<Layout>()
        from r in new[] { 1, 3, 5 }
        from stride in new[] { 1, 2 }
        from padding in new[] { 0, 1, 2 }
        from map in new[] { (N: 2, H: 5, W: 8), (N: 1, H: 9, W: 4) }
        from trailing in new[] { 0, 1 }
        where map.W + 2 * padding >= r
        select new ConvShape(new Shape(map.N, layout == Layout.Plain ? 3 : 17, map.H, map.W), layout, 19, r, stride, padding)
        { Trailing = trailing };

    /// <inheritdoc/>
    protected override IEnumerable<ConvShape> LayerSizes(int batch) =>
    [
        Plain(batch, 3, 32, 32, 64, 3, 1, 1), Blocked(batch, 64, 32, 32, 64, 3, 1, 1), Blocked(batch, 64, 32, 32, 128, 3, 2, 1),
        Blocked(batch, 64, 32, 32, 128, 1, 2, 0), Blocked(batch, 128, 16, 16, 128, 3, 1, 1), Blocked(batch, 256, 8, 8, 256, 3, 1, 1),
        Blocked(batch, 512, 4, 4, 512, 3, 1, 1),
    ];

    /// <inheritdoc/>
    protected override IEnumerable<KernelCase> At(TestTensors make, ConvShape size, bool every) =>
        Both(every && !ConvReference.IsLarge(size)).SelectMany(fused => Passes(make, size, fused, // nothing fused, or all that can be
            x => fused ? make.View(x, size.InputLayout == Layout.Blocked) : new(x)));

    /// <summary>The three passes, with a view of the input, and with a residual and sums that are added to if these are fused.</summary>
    internal static IEnumerable<KernelCase> Passes(TestTensors make, ConvShape s, bool fused, Func<TestTensor, Seen> view)
    {
        TestTensor image = make.Uniform(s.Input, s.InputLayout), w = make.Plain(new Shape(s.K, s.C, s.R, s.R)), dy = make.Blocked(s.Output);
        Seen x = view(image);
        TestTensor y = make.Blocked(s.Output), dx = make.Uniform(s.Input, s.InputLayout), dw = make.Plain(w.Shape);
        TestTensor? residual = fused ? make.Blocked(s.Output) : null;
        DeviceBuffer forward = Arranged(make, s, w, false), gradient = Arranged(make, s, w, true);
        var reference = new ConvReference(s, x, w.Values, dy.Values);
        string size =
            $"{(fused ? "fused " : "")}{s.R}x{s.R} {s.C}x{s.Input.H}x{s.Input.W}->{s.K}/{s.Stride} "
                + $"{make.Device.Kernels.Conv2dAlgorithm(s)}";
        int pixels = s.Input.N * s.P * s.Q, taps = s.C * s.R * s.R;
        yield return new($"conv forward {size}", k => k.Conv2dForward(s, x.Operand, forward, residual?.Buffer, y),
            reference.Output(y, residual))
        {
            Covers = ["Conv2dForward", "Conv2dArrangeFilters", "Conv2dFilterLength", "Conv2dAlgorithm"],
            Flops = s.Flops,
            Bytes = image.Bytes + y.Bytes,
            Gemm = new(pixels, s.K, taps),
        };
        yield return new($"conv dx {size}", k => k.Conv2dInputGradient(s, dy, gradient, x.Operand, fused, dx),
            reference.InputGradient(dx, fused))
        {
            Covers = ["Conv2dInputGradient"],
            Flops = s.Flops,
            Bytes = dy.Bytes + dx.Bytes,
            Gemm = new(pixels, taps, s.K),
        };
        yield return new($"conv dw {size}", k => k.Conv2dWeightGradient(s, x.Operand, dy, fused, dw),
            reference.WeightGradient(dw, fused, w))
        {
            Covers = ["Conv2dWeightGradient"],
            Flops = s.Flops,
            Bytes = image.Bytes + dy.Bytes,
            Gemm = new(s.K, taps, pixels),
        };
    }

    private static DeviceBuffer Arranged(TestTensors make, ConvShape s, TestTensor w, bool inputGradient)
    {
        long length = make.Device.Kernels.Conv2dFilterLength(s, inputGradient);
        if (length == 0) return w;
        var filters = make.Allocate(length);
        make.Device.Kernels.Conv2dArrangeFilters(s, inputGradient, w, filters);
        return filters;
    }

    // Images have few channels, and are stored plain.
    private static ConvShape Plain(int n, int c, int h, int w, int k, int r, int stride, int padding) =>
        new(new Shape(n, c, h, w), Layout.Plain, k, r, stride, padding);

    private static ConvShape Blocked(int n, int c, int h, int w, int k, int r, int stride, int padding) =>
        new(new Shape(n, c, h, w), Layout.Blocked, k, r, stride, padding);
}

/// <summary>
/// Reference results of a size's three passes. Of large sizes, only some samples, filters and channels are computed, each in full: filters
/// are independent in y and dw, input channels in dx and dw, samples in y and dx.
/// </summary>
internal sealed class ConvReference(ConvShape s, Seen x, Array4 w, Array4 dy)
{
    private const double Large = 1e8; // operations
    private const int Some = 4;

    private readonly bool _large = IsLarge(s);
    private readonly int[] _samples = Pick(s, s.Input.N), _filters = Pick(s, s.K), _channels = Pick(s, s.C);
    private readonly Window _window = new(s.Stride, s.Padding, Trailing: s.Trailing);

    /// <summary>Whether only a subset is computed.</summary>
    public static bool IsLarge(ConvShape s) => s.Flops > Large;

    /// <summary>y.</summary>
    public CaseResult Output(TestTensor y, TestTensor? residual)
    {
        Array4 Part(Array4 all) => all.Samples(_samples).Channels(_filters);
        Array4 Values()
        {
            Array4 sum = ReferenceConv2d.Forward(x.Values.Samples(_samples), w.Samples(_filters), null, _window);
            return residual is null ? sum : ReferenceElementwise.Add(sum, Part(residual.Values));
        }
        return new CaseResult(y, Values) { Part = Part };
    }

    /// <summary>dx.</summary>
    public CaseResult InputGradient(TestTensor dx, bool add)
    {
        Array4 Part(Array4 all) => all.Samples(_samples).Channels(_channels);
        Array4 Values()
        {
            Array4 through = Part(x.Through(x.X.Values.Map(_ => 1)));
            return through.Zip(ReferenceConv2d.InputGradient(through, w.Channels(_channels), dy.Samples(_samples), _window),
                (d, g) => d * g);
        }
        return CaseResult.Sum(dx, add, Values, Part) with { Gradient = _large ? null : new(Values, x.X.Values, Loss) };
    }

    /// <summary>dw.</summary>
    public CaseResult WeightGradient(TestTensor dw, bool add, TestTensor weight)
    {
        Array4 Part(Array4 all) => all.Samples(_filters).Channels(_channels);
        Array4 Values() => ReferenceConv2d.WeightGradient(x.Values.Channels(_channels), Part(w), dy.Channels(_filters), _window);
        return CaseResult.Sum(dw, add, Values, Part) with { Gradient = _large ? null : new(Values, weight.Values, Loss) };
    }

    private double Loss() => ReferenceConv2d.Forward(x.Values, w, null, _window).Dot(dy);

    // All, or the first, the last and some in between.
    private static int[] Pick(ConvShape s, int count) => !IsLarge(s) || count <= Some
        ? [.. Enumerable.Range(0, count)]
        : [.. Enumerable.Range(0, Some).Select(i => i * (count - 1) / (Some - 1))];
}

/// <summary>How a window moves over an image: the same stride and zero padding in both directions, channel groups, and
/// further zeros behind the image alone.</summary>
internal readonly record struct Window(int Stride = 1, int Padding = 0, int Groups = 1, int Trailing = 0)
{
    /// <summary>Number of positions of a kernel of this size along an axis of this size.</summary>
    public int Outputs(int size, int kernel) => (size + 2 * Padding + Trailing - kernel) / Stride + 1;

    /// <summary>Input position under a kernel tap for an output position; negative or too large in the padding.</summary>
    public int Input(int output, int tap) => output * Stride - Padding + tap;
}

/// <summary>
/// 2-D convolution (cross-correlation) as loops: x is (N, Cin, H, W), w is (Cout, Cin / groups, kh, kw), the bias has Cout
/// values, and y is (N, Cout, Ho, Wo). Groups = Cin is the depthwise case.
/// </summary>
internal static class ReferenceConv2d
{
    public static Array4 Forward(Array4 x, Array4 w, double[]? bias = null, Window? window = null)
    {
        Window used = Checked(x, w, window);
        Array4 y = new(x.N, w.N, used.Outputs(x.H, w.H), used.Outputs(x.W, w.W));
        ForEachOutput(y, (n, k, oy, ox) => y[n, k, oy, ox] = (bias?[k] ?? 0) + Correlate(x, w, used, n, k, oy, ox));
        return y;
    }

    /// <summary>∂L/∂x from ∂L/∂y: every output passes its gradient to the inputs it read, times their weights.</summary>
    public static Array4 InputGradient(Array4 x, Array4 w, Array4 dy, Window? window = null)
    {
        Window used = Checked(x, w, window);
        Array4 dx = x.Like();
        ForEachOutput(dy, (n, k, oy, ox) => Scatter(dx, w, dy[n, k, oy, ox], used, n, k, oy, ox));
        return dx;
    }

    /// <summary>∂L/∂w from ∂L/∂y: every output passes its gradient to the weights it used, times their inputs.</summary>
    public static Array4 WeightGradient(Array4 x, Array4 w, Array4 dy, Window? window = null)
    {
        Window used = Checked(x, w, window);
        Array4 dw = w.Like();
        ForEachOutput(dy, (n, k, oy, ox) => Collect(dw, x, dy[n, k, oy, ox], used, n, k, oy, ox));
        return dw;
    }

    /// <summary>∂L/∂bias from ∂L/∂y: the sum over samples and pixels.</summary>
    public static double[] BiasGradient(Array4 dy)
    {
        double[] db = new double[dy.C];
        ForEachOutput(dy, (n, k, oy, ox) => db[k] += dy[n, k, oy, ox]);
        return db;
    }

    private static double Correlate(Array4 x, Array4 w, Window window, int n, int k, int oy, int ox)
    {
        double sum = 0;
        (int y0, int x0) = (window.Input(oy, 0), window.Input(ox, 0));
        (int left, int right) = Taps(x0, w.W, x.W);
        int group = FirstChannel(w, window, k);
        for (int c = 0; c < w.C; c++)
            for (int ky = 0; ky < w.H; ky++)
            {
                if ((uint)(y0 + ky) >= (uint)x.H) continue;
                int row = x.Offset(n, group + c, y0 + ky, x0), tap = w.Offset(k, c, ky, 0);
                for (int kx = left; kx < right; kx++) sum += w.Data[tap + kx] * x.Data[row + kx];
            }

        return sum;
    }

    private static void Scatter(Array4 dx, Array4 w, double gradient, Window window, int n, int k, int oy, int ox)
    {
        (int y0, int x0) = (window.Input(oy, 0), window.Input(ox, 0));
        (int left, int right) = Taps(x0, w.W, dx.W);
        int group = FirstChannel(w, window, k);
        for (int c = 0; c < w.C; c++)
            for (int ky = 0; ky < w.H; ky++)
            {
                if ((uint)(y0 + ky) >= (uint)dx.H) continue;
                int row = dx.Offset(n, group + c, y0 + ky, x0), tap = w.Offset(k, c, ky, 0);
                for (int kx = left; kx < right; kx++) dx.Data[row + kx] += gradient * w.Data[tap + kx];
            }
    }

    private static void Collect(Array4 dw, Array4 x, double gradient, Window window, int n, int k, int oy, int ox)
    {
        (int y0, int x0) = (window.Input(oy, 0), window.Input(ox, 0));
        (int left, int right) = Taps(x0, dw.W, x.W);
        int group = FirstChannel(dw, window, k);
        for (int c = 0; c < dw.C; c++)
            for (int ky = 0; ky < dw.H; ky++)
            {
                if ((uint)(y0 + ky) >= (uint)x.H) continue;
                int row = x.Offset(n, group + c, y0 + ky, x0), tap = dw.Offset(k, c, ky, 0);
                for (int kx = left; kx < right; kx++) dw.Data[tap + kx] += gradient * x.Data[row + kx];
            }
    }

    // Output channels are assigned to the groups in order; group g reads input channels g·C .. g·C + C − 1, C = Cin / groups.
    private static int FirstChannel(Array4 w, Window window, int k) => k / (w.N / window.Groups) * w.C;

    // The taps of a kernel row that lie inside an image row, when tap 0 lies at this position.
    private static (int Left, int Right) Taps(int start, int kernel, int size) =>
        (Math.Max(0, -start), Math.Min(kernel, size - start));

    private static void ForEachOutput(Array4 y, Action<int, int, int, int> visit)
    {
        for (int n = 0; n < y.N; n++)
            for (int k = 0; k < y.C; k++)
                for (int oy = 0; oy < y.H; oy++)
                    for (int ox = 0; ox < y.W; ox++)
                        visit(n, k, oy, ox);
    }

    private static Window Checked(Array4 x, Array4 w, Window? window)
    {
        Window used = window ?? new Window(1);
        if (used.Groups < 1 || x.C != w.C * used.Groups || w.N % used.Groups != 0)
            throw new ArgumentException($"Weights {w} in {used.Groups} groups do not fit an input of shape {x}.");
        return used;
    }
}
