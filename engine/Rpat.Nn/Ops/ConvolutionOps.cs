namespace Rpat.Nn.Ops;

/// <summary>What a convolution may have besides square filters: each pair is rows and columns.</summary>
public sealed record ConvolutionOptions
{
    /// <summary>Step of the output.</summary>
    public int Stride { get; init; } = 1;

    /// <summary>Zeros on each side.</summary>
    public (int Rows, int Columns) Padding { get; init; }

    /// <summary>Distance of a filter's taps.</summary>
    public (int Rows, int Columns) Dilation { get; init; } = (1, 1);

    /// <summary>Groups of channels that are convolved by themselves.</summary>
    public int Groups { get; init; } = 1;
}

/// <summary>Recording of convolutions of any kind, composed of those that have kernels.</summary>
public static class ConvolutionOps
{
    /// <summary>
    /// Convolution of <c>[N, C, H, W]</c> with filters <c>[K, C/groups, R, S]</c>, plus a bias of K values. Square filters without
    /// dilation run as they are, depthwise ones too; others are put among zeros into larger square filters, group by group: exact, but with
    /// the work of the larger ones.
    /// </summary>
    /// <exception cref="ShapeException">The sizes do not fit.</exception>
    public static Tensor Conv2d(this Tape tape, Tensor x, Parameter weight, ConvolutionOptions options, Parameter? bias = null)
    {
        var d = Bound.Given(weight).Dimensions;
        ShapeException.Require(d.Count == 4, "Conv2d", $"{weight.Name} must be [K, C/groups, R, S], is [{string.Join(", ", d)}]");
        int groups = Bound.Given(options).Groups;
        ShapeException.Require(groups > 0 && d[0] % groups == 0 && d[1] * groups == Bound.Given(x).Shape.C, "Conv2d",
            $"{x} in {groups} groups does not fit {weight.Name} [{string.Join(", ", d)}]");
        ShapeException.Require(Math.Min(options.Dilation.Rows, options.Dilation.Columns) > 0, "Conv2d", "a dilation must be positive");
        Tensor y = IsDepthwise(x, weight, options) ? tape.DepthwiseConv2d(x, weight, options.Stride, options.Padding.Rows)
            : tape.Concat([.. Enumerable.Range(0, groups).Select(group => Group(tape, x, weight, options, group))], groups);
        return bias is null ? y : tape.ChannelBias(y, bias);
    }

    private static Tensor Concat(this Tape tape, Tensor[] parts, int groups) => groups == 1 ? parts[0] : tape.Concat(parts);

    private static bool IsDepthwise(Tensor x, Parameter weight, ConvolutionOptions options) =>
        options.Groups > 1 && weight.Dimensions[0] == options.Groups && weight.Dimensions[1] == 1 && x.Layout == Layout.Blocked
            && IsSquare(weight, options) && options.Padding.Rows < weight.Dimensions[2];

    private static bool IsSquare(Parameter weight, ConvolutionOptions options) => weight.Dimensions[2] == weight.Dimensions[3]
        && options is { Dilation: (1, 1) } && options.Padding.Rows == options.Padding.Columns;

    private static Tensor Group(Tape tape, Tensor x, Parameter weight, ConvolutionOptions options, int group)
    {
        int outputs = weight.Dimensions[0] / options.Groups, inputs = weight.Dimensions[1];
        bool all = options.Groups == 1;
        Tensor part = all ? x : tape.Slice(x, channels: (group * inputs)..((group + 1) * inputs));
        Tensor filters = all ? weight : tape.Slice(weight, samples: (group * outputs)..((group + 1) * outputs));
        if (IsSquare(weight, options)) return tape.Conv2d(part, filters, options.Stride, options.Padding.Rows);
        int rows = (filters.Shape.H - 1) * options.Dilation.Rows + 1, columns = (filters.Shape.W - 1) * options.Dilation.Columns + 1;
        int size = Math.Max(rows, columns);
        Tensor square = tape.Resample(filters, Spread(filters.Shape.H, options.Dilation.Rows, size),
            Spread(filters.Shape.W, options.Dilation.Columns, size));
        var (top, left) = options.Padding;
        Tensor border = tape.Pad(part, top, top + size - rows, left, left + size - columns);
        return tape.Conv2d(border, square, options.Stride);
    }

    /// <summary>Taps at the given distance, zeros between and after them.</summary>
    private static AxisSums Spread(int taps, int distance, int size) => new(taps, [.. Enumerable.Range(0, size).Select(i =>
        i % distance == 0 && i / distance < taps ? (i / distance, (IReadOnlyList<double>)[1]) : (0, []))]);
}
