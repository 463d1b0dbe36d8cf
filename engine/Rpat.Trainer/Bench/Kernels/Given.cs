namespace Rpat.Trainer.Bench.Kernels;

/// <summary>Numbers that lie on the device and, as they were before any kernel ran, on the host.</summary>
/// <param name="Shape">Logical size.</param>
/// <param name="Layout">How they lie on the device.</param>
/// <param name="Host">In NCHW order.</param>
/// <param name="Buffer">On the device.</param>
internal sealed record Given(Shape Shape, Layout Layout, float[] Host, DeviceBuffer Buffer)
{
    /// <summary>Bytes that reading all of it moves.</summary>
    public double Bytes => 4.0 * Shape.Count;

    /// <summary>The value at a place, widened.</summary>
    public double this[int n, int c, int y = 0, int x = 0] => Host[((n * Shape.C + c) * Shape.H + y) * Shape.W + x];

    /// <summary>The value of a vector.</summary>
    public double this[int i] => Host[i];

    public static implicit operator DeviceBuffer(Given given) => given.Buffer;
}

/// <summary>A place of a result.</summary>
/// <param name="N">Sample or filter.</param>
/// <param name="C">Channel or column.</param>
/// <param name="Y">Row.</param>
/// <param name="X">Column of the map.</param>
/// <param name="I">Number in NCHW order.</param>
internal readonly record struct Place(int N, int C, int Y, int X, int I)
{
    public static Place Of(Shape s, int i) => new(i / s.SampleCount, i / s.Area % s.C, i % s.Area / s.W, i % s.W, i);
}

/// <summary>One launch with what it must compute.</summary>
/// <param name="Name">Kernel and size.</param>
/// <param name="Result">What it writes and is looked at.</param>
/// <param name="Run">The launch.</param>
/// <param name="Reference">The value at a place in double precision, from the values that lay there before the launch.</param>
internal sealed record KernelCase(string Name, Given Result, Action<IKernels> Run, Func<Place, double> Reference)
{
    /// <summary>The methods of the contract that it tests.</summary>
    public required IReadOnlyList<string> Covers { get; init; }

    /// <summary>Operations of a convolution, a multiply-add counted as two; 0 where memory is what counts.</summary>
    public double Flops { get; init; }

    /// <summary>Bytes that at least must move.</summary>
    public double Bytes { get; init; }

    /// <summary>The matrix product that it stands for; null where it is none.</summary>
    public GemmSize? Gemm { get; init; }
}

/// <summary>A matrix product C = A·B.</summary>
/// <param name="M">Rows of A and C.</param>
/// <param name="N">Columns of B and C.</param>
/// <param name="K">Columns of A, rows of B.</param>
internal readonly record struct GemmSize(int M, int N, int K)
{
    /// <summary>Operations, a multiply-add counted as two.</summary>
    public double Flops => 2.0 * M * N * K;

    /// <summary>Bytes of the three matrices.</summary>
    public double Bytes => sizeof(float) * ((double)M * K + (double)K * N + (double)M * N);
}

/// <summary>Makes random numbers on a device, and frees them all.</summary>
internal sealed class Givens(Device device)
{
    private readonly List<DeviceBuffer> _made = [];
    private int _seed;

    public Device Device => device;

    /// <summary>Values in NCHW order: images, logits, parameters.</summary>
    public Given Plain(Shape shape, double low = -1, double high = 1) => Make(shape, Layout.Plain, low, high);

    /// <summary>Activations.</summary>
    public Given Blocked(Shape shape, double low = -1, double high = 1) => Make(shape, Layout.Blocked, low, high);

    /// <summary>One value per channel, padded as the device wants it.</summary>
    public Given Channels(int channels, double low = -1, double high = 1) => Blocked(new Shape(1, channels), low, high);

    /// <summary>Classes, also as host values.</summary>
    public Given Labels(int count, int classes) => Words([.. Enumerable.Range(0, count).Select(i => 7 * i % classes)]);

    /// <summary>Integers.</summary>
    public Given Words(int[] values)
    {
        var buffer = Allocate(values.Length);
        device.Upload(values, buffer);
        return new Given(new Shape(1, values.Length), Layout.Plain, [.. values.Select(v => (float)v)], buffer);
    }

    public DeviceBuffer Allocate(long words)
    {
        var buffer = device.Allocate(words);
        _made.Add(buffer);
        return buffer;
    }

    /// <summary>What the device holds now, in NCHW order.</summary>
    public float[] Read(Given given)
    {
        var values = new float[given.Shape.Count];
        if (given.Layout == Layout.Plain) device.Download(given.Buffer, values);
        else device.DownloadBlocked(given.Buffer, given.Shape, values);
        return values;
    }

    public void Free()
    {
        foreach (var buffer in _made) device.Free(buffer);
        _made.Clear();
    }

    private Given Make(Shape shape, Layout layout, double low, double high)
    {
        var numbers = new float[shape.Count];
        new RandomKey(1, Purpose.Synthetic, 0, _seed++, 0, 0).Stream().FillUniform(numbers);
        for (int i = 0; i < numbers.Length; i++) numbers[i] = (float)(low + (high - low) * numbers[i]);
        var given = new Given(shape, layout, numbers, Allocate(device.StorageLength(shape, layout)));
        if (layout == Layout.Plain) device.Upload(numbers, given.Buffer);
        else device.UploadBlocked(numbers, shape, given.Buffer);
        return given;
    }
}
