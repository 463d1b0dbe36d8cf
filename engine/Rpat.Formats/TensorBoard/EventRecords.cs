namespace Rpat.Formats.TensorBoard;

/// <summary>
/// The records of TensorBoard's event files, each as the bytes to append. A file begins with <see cref="Version"/>; the steps of one
/// tag must increase. Field numbers are those of TensorBoard's event, summary and hparams messages.
/// </summary>
public static class EventRecords
{
    private const string TextPlugin = "text";
    private const int StringType = 7;

    /// <summary>The first record of a file.</summary>
    /// <param name="time">Seconds since 1970.</param>
    public static byte[] Version(double time) => Event(time, 0, e =>
    {
        e.Text(3, "brain.Event:2");
        e.Message(10, source => source.Text(1, "rpat.native"));
    });

    /// <summary>Begins a session: readers discard earlier records of this step and later ones.</summary>
    /// <param name="time">Seconds since 1970.</param>
    /// <param name="step">The next step.</param>
    public static byte[] SessionStart(double time, long step) => Event(time, step, e => e.Message(7, log => log.Integer(1, 1)));

    /// <summary>A number.</summary>
    /// <param name="time">Seconds since 1970.</param>
    /// <param name="step">The step that it belongs to.</param>
    /// <param name="tag">Its name; the part before a '/' groups charts.</param>
    /// <param name="value">The number; NaN is legal.</param>
    public static byte[] Scalar(double time, long step, string tag, float value) => Summary(time, step, tag, v => v.Float(2, value));

    /// <summary>An image.</summary>
    /// <param name="time">Seconds since 1970.</param>
    /// <param name="step">The step that it belongs to.</param>
    /// <param name="png">A whole PNG file in RGB.</param>
    public static byte[] Image(double time, long step, string tag, int width, int height, ReadOnlyMemory<byte> png) =>
        Summary(time, step, tag, v => v.Message(4, image =>
        {
            image.Integer(1, height);
            image.Integer(2, width);
            image.Integer(3, 3);
            image.Bytes(4, png.Span);
        }));

    /// <summary>The distribution of many numbers, in buckets of equal width.</summary>
    /// <param name="time">Seconds since 1970.</param>
    /// <param name="step">The step that it belongs to.</param>
    /// <param name="values">The numbers; those that are not finite are left out.</param>
    public static byte[] Histogram(double time, long step, string tag, ReadOnlySpan<float> values, int buckets = 30)
    {
        var counted = new Buckets(values, buckets);
        return Summary(time, step, tag, v => v.Message(5, counted.Write));
    }

    /// <summary>A text in Markdown.</summary>
    /// <param name="time">Seconds since 1970.</param>
    /// <param name="step">The step that it belongs to.</param>
    public static byte[] Text(double time, long step, string tag, string markdown) => Summary(time, step, tag, v =>
    {
        v.Message(8, tensor =>
        {
            tensor.Integer(1, StringType);
            tensor.Message(2, shape => shape.Message(2, dim => dim.Integer(1, 1)));
            tensor.Text(8, markdown);
        });
        v.Message(9, metadata => metadata.Message(1, plugin => plugin.Text(1, TextPlugin)));
    });

    /// <summary>An event with one value of a tag.</summary>
    internal static byte[] Summary(double time, long step, string tag, Action<ProtobufWriter> value) =>
        Event(time, step, e => e.Message(5, summary => summary.Message(1, v =>
        {
            v.Text(1, tag);
            value(v);
        })));

    private static byte[] Event(double time, long step, Action<ProtobufWriter> what)
    {
        var e = new ProtobufWriter();
        e.Double(1, time);
        if (step != 0) e.Integer(2, step);
        what(e);
        return EventFrame.Of(e.ToArray());
    }

    // Bucket i counts values from limit i - 1 to limit i; the first one, below the smallest value, is empty.
    private sealed class Buckets
    {
        private readonly double _sum, _squares, _low, _high;
        private readonly double[] _limits, _counts;
        private readonly int _count;

        public Buckets(ReadOnlySpan<float> values, int buckets)
        {
            (_low, _high) = (double.PositiveInfinity, double.NegativeInfinity);
            foreach (float value in values)
            {
                if (!float.IsFinite(value)) continue;
                (_low, _high) = (Math.Min(_low, value), Math.Max(_high, value));
                (_count, _sum, _squares) = (_count + 1, _sum + value, _squares + (double)value * value);
            }

            if (_count == 0) (_low, _high) = (0, 0);
            double width = Math.Max((_high - _low) / buckets, double.Epsilon);
            _limits = [.. Enumerable.Range(0, buckets + 1).Select(i => i == buckets ? _high : _low + i * width)];
            _counts = new double[buckets + 1];
            foreach (float value in values)
                if (float.IsFinite(value)) _counts[1 + Math.Clamp((int)((value - _low) / width), 0, buckets - 1)]++;
        }

        public void Write(ProtobufWriter histogram)
        {
            histogram.Double(1, _low);
            histogram.Double(2, _high);
            histogram.Double(3, _count);
            histogram.Double(4, _sum);
            histogram.Double(5, _squares);
            histogram.Bytes(6, MemoryMarshal.AsBytes<double>(_limits));
            histogram.Bytes(7, MemoryMarshal.AsBytes<double>(_counts));
        }
    }
}
