namespace Rpat.Nn.Ops;

/// <summary>Recording of means over windows and of interpolation: weighted sums along rows and columns, of activations or images.</summary>
public static class ResizeOps
{
    /// <summary>Means over windows: <c>[N, C, H, W]</c> → <c>[N, C, (H+2·padding−window)/stride+1, …]</c>.</summary>
    /// <param name="stride">0 for the window.</param>
    /// <param name="countPadding">Whether the zeros of the padding count, as in PyTorch's default.</param>
    /// <exception cref="ShapeException">The window does not fit.</exception>
    public static Tensor AveragePool2d(this Tape tape, Tensor x, int window, int stride = 0, int padding = 0, bool countPadding = true)
    {
        if (stride == 0) stride = window;
        ShapeException.Require(window > 0 && stride > 0 && padding >= 0 && padding <= window / 2
            && window <= Math.Min(Bound.Given(x).Shape.H, x.Shape.W) + 2 * padding, "AveragePool2d",
            $"window {window}, stride {stride} and padding {padding} do not fit {x}");
        AxisSums Axis(int size) => Sums(size, (size + 2 * padding - window) / stride + 1, output =>
        {
            int first = Math.Max(0, output * stride - padding), end = Math.Min(size, output * stride - padding + window);
            return Mean(first, end, countPadding ? window : end - first);
        });
        return tape.Resample(x, Axis(Bound.Given(x).Shape.H), Axis(x.Shape.W));
    }

    /// <summary>Means over as many windows of nearly equal size as requested: <c>[N, C, H, W]</c> → <c>[N, C, height, width]</c>.</summary>
    /// <exception cref="ShapeException">A size is not positive.</exception>
    public static Tensor AdaptiveAveragePool2d(this Tape tape, Tensor x, int height, int width)
    {
        _ = Size("AdaptiveAveragePool2d", height, width);
        static AxisSums Axis(int size, int outputs) => Sums(size, outputs, output =>
        {
            int first = (int)((long)output * size / outputs), end = (int)(((long)(output + 1) * size + outputs - 1) / outputs);
            return Mean(first, end, end - first);
        });
        return tape.Resample(x, Axis(Bound.Given(x).Shape.H, height), Axis(x.Shape.W, width));
    }

    /// <summary>The nearest pixel: <c>[N, C, H, W]</c> → <c>[N, C, height, width]</c>, PyTorch's mode <c>nearest</c>.</summary>
    /// <exception cref="ShapeException">A size is not positive.</exception>
    public static Tensor UpsampleNearest(this Tape tape, Tensor x, int height, int width)
    {
        _ = Size("UpsampleNearest", height, width);
        static AxisSums Axis(int size, int outputs) => Sums(size, outputs, output => ((int)((long)output * size / outputs), [1]));
        return tape.Resample(x, Axis(Bound.Given(x).Shape.H, height), Axis(x.Shape.W, width));
    }

    /// <summary>
    /// Bilinear interpolation: <c>[N, C, H, W]</c> → <c>[N, C, height, width]</c>, without smoothing when it makes maps smaller.
    /// </summary>
    /// <param name="alignCorners">Whether the corner pixels of input and output lie on each other; otherwise their outer edges do.</param>
    /// <exception cref="ShapeException">A size is not positive.</exception>
    public static Tensor UpsampleBilinear(this Tape tape, Tensor x, int height, int width, bool alignCorners = false)
    {
        _ = Size("UpsampleBilinear", height, width);
        AxisSums Axis(int size, int outputs) => Sums(size, outputs, output =>
        {
            double at = !alignCorners ? Math.Max(0, (output + 0.5) * size / outputs - 0.5)
                : outputs == 1 ? 0 : (double)output * (size - 1) / (outputs - 1);
            int first = Math.Min((int)at, size - 1);
            return first == size - 1 ? (first, [1]) : (first, [1 - (at - first), at - first]);
        });
        return tape.Resample(x, Axis(Bound.Given(x).Shape.H, height), Axis(x.Shape.W, width));
    }

    private static AxisSums Sums(int inputs, int outputs, Func<int, (int, IReadOnlyList<double>)> sum) =>
        new(inputs, [.. Enumerable.Range(0, outputs).Select(sum)]);

    private static (int, IReadOnlyList<double>) Mean(int first, int end, int divisor) =>
        (first, [.. Enumerable.Repeat(1.0 / divisor, end - first)]);

    /// <exception cref="ShapeException">A size is below 1.</exception>
    internal static (int Height, int Width) Size(string op, int height, int width) => height > 0 && width > 0 ? (height, width)
        : throw new ShapeException(op, $"{height}×{width} is no size of a map");
}
