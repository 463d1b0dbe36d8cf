namespace Rpat.Engine.Cases;

/// <summary>Numbers on a device and, as they were before any kernel ran, on the host.</summary>
/// <param name="layout">Their layout on the device.</param>
public sealed class TestTensor(Shape shape, Layout layout, float[] host, DeviceBuffer buffer)
{
    /// <summary>Logical size.</summary>
    public Shape Shape { get; } = shape;

    /// <summary>Their layout on the device.</summary>
    public Layout Layout { get; } = layout;

    /// <summary>On the host, widened.</summary>
    public Array4 Values => field ??= Array4.FromFloats(Shape.N, Shape.C, Shape.H, Shape.W, Host);

    /// <summary>On the host, in NCHW order.</summary>
    public float[] Host { get; } = host;

    /// <summary>On the device.</summary>
    public DeviceBuffer Buffer { get; } = buffer;

    /// <summary>Bytes moved by reading all of it, in memory of 32 bits or, for activations, of 16.</summary>
    public double Bytes => 4.0 * Math.Min(Shape.Count, Buffer.Length);

    /// <summary>As a kernel argument.</summary>
    public static implicit operator DeviceBuffer(TestTensor given) => given.Buffer;
}

/// <summary>A stored tensor, seen through an optional scale and shift per channel and an optional ReLU.</summary>
public sealed record Seen(TestTensor X, TestTensor? Scale = null, TestTensor? Shift = null, bool Relu = false)
{
    /// <summary>As a kernel argument.</summary>
    public Operand Operand => new(X, Scale?.Buffer, Shift?.Buffer, Relu);

    /// <summary>The values that a reader sees.</summary>
    public Array4 Values
    {
        get
        {
            Array4 y = Scale is null ? X.Values : X.Values.MapChannels((c, v) => v * Scale.Values.Data[c] + Shift!.Values.Data[c]);
            return Relu ? ReferenceElementwise.Relu(y) : y;
        }
    }

    /// <summary>∂L/∂x from the gradient of the values that a reader sees.</summary>
    public Array4 Through(Array4 gradient)
    {
        Array4 g = Relu ? ReferenceElementwise.ReluBackward(Values, gradient) : gradient;
        return Scale is null ? g : g.MapChannels((c, v) => v * Scale.Values.Data[c]);
    }
}

/// <summary>Makes random numbers on a device, the same on every device, and frees them all.</summary>
public sealed class TestTensors(Device device)
{
    // A number that no kernel computes.
    private const int Mark = 0x7FABCDEF;

    private readonly List<DeviceBuffer> _made = [], _fences = [];
    private int _seed;

    /// <summary>The device that holds the tensors.</summary>
    public Device Device => device;

    /// <summary>
    /// If not 0, values are multiples of 1/Grid: with 128, those in [−1, 1] are bfloat16 numbers and are exact on tensor cores.
    /// </summary>
    public int Grid { get; init; }

    /// <summary>The word of its memory at which a plain tensor begins.</summary>
    public int Skew { get; init; }

    /// <summary>Words before and behind each tensor's memory that no kernel may write; multiples of 16 keep its alignment.</summary>
    public int Fence { get; init; }

    /// <summary>Values in NCHW order: images, logits, parameters.</summary>
    public TestTensor Plain(Shape shape, double low = -1, double high = 1) => Uniform(shape, Layout.Plain, low, high);

    /// <summary>Activations.</summary>
    public TestTensor Blocked(Shape shape, double low = -1, double high = 1) => Uniform(shape, Layout.Blocked, low, high);

    /// <summary>A plain row.</summary>
    public TestTensor Row(int count, double low = -1, double high = 1) => Plain(new Shape(1, count), low, high);

    /// <summary>One value per channel, padded to the device's layout.</summary>
    public TestTensor Channels(int channels, double low = -1, double high = 1) =>
        Place(new Shape(1, channels), Layout.Plain, Numbers(channels, low, high), device.ChannelLength(channels));

    /// <summary>The same with given values.</summary>
    public TestTensor Channels(double[] values) =>
        Place(new Shape(1, values.Length), Layout.Plain, Array.ConvertAll(values, v => (float)v), device.ChannelLength(values.Length));

    /// <summary>A view with scale and shift, and a ReLU if requested.</summary>
    public Seen View(TestTensor x, bool relu = true) => new(x, Channels(x.Shape.C, 0.5, 1.5), Channels(x.Shape.C), relu);

    /// <summary>Values of either layout.</summary>
    public TestTensor Uniform(Shape shape, Layout layout, double low = -1, double high = 1) =>
        Place(shape, layout, Numbers(shape.Count, low, high));

    private float[] Numbers(long count, double low, double high)
    {
        var numbers = new float[count];
        new RandomKey(1, Purpose.Synthetic, 0, _seed++, 0, 0).Stream().FillUniform(numbers);
        for (int i = 0; i < numbers.Length; i++) numbers[i] = (float)(low + (high - low) * numbers[i]);
        return Grid > 0 ? Array.ConvertAll(numbers, v => MathF.Round(v * Grid) / Grid) : numbers;
    }

    /// <summary>Integers.</summary>
    public DeviceBuffer Words(int[] values)
    {
        var buffer = Allocate(values.Length);
        device.Upload(values, buffer);
        return buffer;
    }

    /// <summary>Vectors of one value per channel, one after the other, each padded to the device's layout.</summary>
    public DeviceBuffer Lines(params TestTensor[] vectors)
    {
        int line = device.ChannelLength(vectors[0].Shape.C);
        var values = new float[line * vectors.Length];
        for (int i = 0; i < vectors.Length; i++) vectors[i].Host.CopyTo(values, i * line);
        var buffer = Allocate(values.Length);
        device.Upload(values, buffer);
        return buffer;
    }

    /// <summary>Memory that is freed together with the tensors.</summary>
    public DeviceBuffer Allocate(long words)
    {
        var buffer = device.Allocate(Fence + words + Fence);
        _made.Add(buffer);
        if (Fence == 0) return buffer;
        foreach (long at in (long[])[0, Fence + words])
        {
            _fences.Add(buffer.View(at, Fence));
            device.Upload(Enumerable.Repeat(Mark, Fence).ToArray(), _fences[^1]);
        }
        return buffer.View(Fence, words);
    }

    /// <summary>How many words of fences were written since the last call.</summary>
    public int Trampled()
    {
        int count = 0;
        foreach (var fence in _fences)
        {
            var now = new float[Fence];
            device.Download(fence, now);
            int changed = now.Count(word => BitConverter.SingleToInt32Bits(word) != Mark);
            if (changed > 0) device.Upload(Enumerable.Repeat(Mark, Fence).ToArray(), fence);
            count += changed;
        }
        return count;
    }

    /// <summary>The device's current values, in NCHW order.</summary>
    public float[] Read(TestTensor given)
    {
        var values = new float[given.Shape.Count];
        if (given.Layout == Layout.Plain) device.Download(given.Buffer, values);
        else device.DownloadBlocked(given.Buffer, given.Shape, values);
        return values;
    }

    /// <summary>The device's current values, limited to the part that the result covers.</summary>
    public Array4 Actual(CaseResult result)
    {
        var s = result.Target.Shape;
        Array4 all = Array4.FromFloats(s.N, s.C, s.H, s.W, Read(result.Target));
        return result.Part?.Invoke(all) ?? all;
    }

    /// <summary>Frees everything.</summary>
    public void Free()
    {
        foreach (var buffer in _made) device.Free(buffer);
        _made.Clear();
        _fences.Clear();
    }

    /// <summary>Given values, in NCHW order; activations are rounded as the device stores them.</summary>
    public TestTensor Place(Shape shape, Layout layout, float[] numbers) =>
        Place(shape, layout, numbers, device.StorageLength(shape, layout), layout == Layout.Plain ? Skew : 0);

    private TestTensor Place(Shape shape, Layout layout, float[] numbers, long words, int skew = 0)
    {
        bool rounded = layout == Layout.Blocked && device.RoundsActivations;
        var given = new TestTensor(shape, layout, rounded ? Array.ConvertAll(numbers, Bfloat16) : numbers,
            Allocate(skew + words).View(skew, words));
        if (layout == Layout.Plain) device.Upload(numbers, given.Buffer);
        else device.UploadBlocked(numbers, shape, given.Buffer);
        return given;
    }

    /// <summary>The nearest bfloat16 number, ties to even.</summary>
    public static float Bfloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? value : BitConverter.UInt32BitsToSingle(bits + 0x7FFF + (bits >> 16 & 1) & 0xFFFF0000);
    }
}
