using System.Diagnostics;
using Rpat.Engine;
using Rpat.Engine.Random;

namespace Rpat.Trainer.Bench;

/// <summary>One kernel's result on a device.</summary>
/// <param name="Name">Kernel and size.</param>
/// <param name="Error">Largest difference from the CPU backend over the largest value.</param>
/// <param name="Milliseconds">Time of one launch, the mean of many queued one behind the other.</param>
/// <param name="Gigaflops">Billions of operations a second; 0 where memory is what counts.</param>
/// <param name="Gigabytes">Billions of bytes a second that must at least move.</param>
internal sealed record SelfTestLine(string Name, double Error, double Milliseconds, double Gigaflops, double Gigabytes);

/// <summary>
/// Runs the kernels of a training step on a device, at the sizes of PreActResNet-18's layers, compares them with the CPU backend's direct
/// algorithms and times them.
/// </summary>
internal sealed class SelfTest : IDisposable
{
    private readonly Device _reference = Device.Cpu(0, ConvolutionAlgorithm.Direct);
    private readonly Device _device;
    private readonly int _batch;
    private readonly TimeSpan _time;
    private readonly List<(Device Owner, DeviceBuffer Buffer)> _made = [];

    /// <summary>Prepares a test.</summary>
    /// <param name="device">What is tested; the caller disposes of it.</param>
    /// <param name="batch">Images.</param>
    /// <param name="time">How long each kernel is timed.</param>
    public SelfTest(Device device, int batch, TimeSpan time) => (_device, _batch, _time) = (device, batch, time);

    public void Dispose() => _reference.Dispose();

    /// <summary>Tests and times kernel after kernel.</summary>
    public IEnumerable<SelfTestLine> Run()
    {
        foreach (var (c, side, k, stride) in new[] { (64, 32, 64, 1), (64, 32, 128, 2), (128, 16, 128, 1), (256, 8, 256, 1), (512, 4, 512, 1) })
            foreach (var line in Convolution(new ConvShape(new Shape(_batch, c, side, side), Layout.Blocked, k, 3, stride, 1)))
                yield return line;
        foreach (var line in Layers(new Shape(_batch, 64, 32, 32))) yield return line;
        foreach (var line in Losses(10)) yield return line;
        foreach (var line in Elements(1 << 22)) yield return line;
    }

    private IEnumerable<SelfTestLine> Convolution(ConvShape s)
    {
        string size = $"{s.C}x{s.Input.H}x{s.Input.W}->{s.K}/{s.Stride}";
        Values x = Blocked(s.Input, 1), dy = Blocked(s.Output, 2), w = Plain(new Shape(s.K, s.C, s.R, s.R), 3);
        Values y = Blocked(s.Output, 4), dx = Blocked(s.Input, 5), dw = Plain(w.Shape, 6);
        Values forward = Arranged(s, w, false), gradient = Arranged(s, w, true);
        yield return Test($"conv forward {size}", y, s.Flops, Bytes(x, y), (k, on) => k.Conv2dForward(s, on(x), on(forward), null, on(y)));
        yield return Test($"conv dx {size}", dx, s.Flops, Bytes(dy, dx), (k, on) =>
            k.Conv2dInputGradient(s, on(dy), on(gradient), default, false, on(dx)));
        yield return Test($"conv dw {size}", dw, s.Flops, Bytes(x, dy), (k, on) => k.Conv2dWeightGradient(s, on(x), on(dy), false, on(dw)));
        Free();
    }

    private IEnumerable<SelfTestLine> Layers(Shape s)
    {
        Values x = Blocked(s, 1), b = Blocked(s, 2), y = Blocked(s, 3), mean = Plain(new Shape(_batch, s.C), 4);
        Values[] state = [.. Enumerable.Range(5, 4).Select(seed => Plain(new Shape(1, s.C), seed, 0.5, 1.5))];
        Values[] kept = [.. Enumerable.Range(9, 4).Select(seed => Blocked(new Shape(1, s.C), seed))];
        BatchNormState State(Func<Values, DeviceBuffer> on) => new(on(state[0]), on(state[1]), on(state[2]), on(state[3]));
        BatchNormSaved Kept(Func<Values, DeviceBuffer> on) => new(on(kept[0]), on(kept[1]), on(kept[2]), on(kept[3]));
        yield return Test("batch norm statistics", kept[2], 0, Bytes(x), (k, on) => k.BatchNormTrain(s, on(x), State(on), false, Kept(on)));
        yield return Test("batch norm gradient", y, 0, 2 * Bytes(x, b) + Bytes(y), (k, on) =>
            k.BatchNormBackward(s, on(x), on(b), Kept(on), true, true, new BatchNormGradients(null, null, false, on(y), false)));
        yield return Test("add, relu", y, 0, Bytes(x, b, y), (k, on) => k.Add(s, on(x), on(b), true, on(y)));
        yield return Test("average pool", mean, 0, Bytes(x), (k, on) => k.GlobalAveragePool(s, on(x), on(mean)));
        Free();
    }

    private IEnumerable<SelfTestLine> Losses(int classes)
    {
        var s = new Shape(_batch, classes);
        Values u = Plain(s, 1), a = Plain(s, 2), b = Plain(s, 3), du = Plain(s, 4), da = Plain(s, 5), db = Plain(s, 6);
        Values labels = Labels(classes), values = Plain(new Shape(2, _batch), 7);
        PerceptionLogits Logits(Func<Values, DeviceBuffer> on) => new(on(u), on(a), on(b));
        yield return Test("rpat loss", values, 0, Bytes(u, a, b), (k, on) =>
            k.RpatLoss(_batch, classes, Logits(on), on(labels), 0.5f, 1, on(values)));
        yield return Test("rpat loss gradient", db, 0, 2 * Bytes(u, a, b), (k, on) => k.RpatLossGradient(
            _batch, classes, Logits(on), on(labels), 0.5f, 0.1f, 1, new PerceptionGradients(on(du), on(da), on(db), false, false, false)));
        Free();
    }

    private IEnumerable<SelfTestLine> Elements(int count)
    {
        var s = new Shape(1, count);
        Values x = Plain(s, 1, 0, 1), g = Plain(s, 2), v = Plain(s, 3), y = Plain(s, 4, 0, 1);
        yield return Test("copy: y = 1·x", y, 0, Bytes(x, y), (k, on) => k.Scale(count, on(x), 1, false, on(y)));
        yield return Test("attack step linf", y, 0, Bytes(x, g, y, y), (k, on) => k.LinfStep(count, on(x), on(g), 2 / 255f, 8 / 255f, on(y)));
        yield return Test("sgd", x, 0, Bytes(x, g, v, x, v), (k, on) => k.Sgd(count, on(x), on(g), on(v), new SgdStep(1e-3f, 0.9f, 5e-4f, false)));
        Free();
    }

    /// <summary>Runs once on both devices, compares, and only then runs for the clock.</summary>
    private SelfTestLine Test(string name, Values result, double flops, double bytes, Action<IKernels, Func<Values, DeviceBuffer>> run)
    {
        run(_reference.Kernels, values => values.Reference);
        run(_device.Kernels, values => values.Tested);
        double error = Error(Read(_reference, result, result.Reference), Read(_device, result, result.Tested));
        double seconds = Seconds(() => run(_device.Kernels, values => values.Tested));
        return new SelfTestLine(name, error, 1e3 * seconds, flops / seconds / 1e9, bytes / seconds / 1e9);
    }

    private double Seconds(Action run)
    {
        for (int i = 0; i < 3; i++) run();
        _device.Synchronize();
        var clock = Stopwatch.StartNew();
        int runs = 0;
        do
        {
            for (int i = 0; i < 4; i++) run(); // queued: what the launch costs hides behind the kernel before
            runs += 4;
            _device.Synchronize();
        }
        while (clock.Elapsed < _time);
        return clock.Elapsed.TotalSeconds / runs;
    }

    /// <summary>max |a − b| / max |a|; a NaN on one side only is an infinite error.</summary>
    private static double Error(float[] expected, float[] actual)
    {
        double largest = 1e-30, difference = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            if (float.IsNaN(expected[i]) != float.IsNaN(actual[i])) return double.PositiveInfinity;
            largest = Math.Max(largest, Math.Abs(expected[i]));
            difference = Math.Max(difference, Math.Abs((double)expected[i] - actual[i]));
        }
        return difference / largest;
    }

    private static double Bytes(params Values[] values) => values.Sum(v => 4.0 * v.Shape.Count);

    private Values Plain(Shape shape, int seed, double low = -1, double high = 1) => Fill(Make(shape, Layout.Plain), seed, low, high);

    private Values Blocked(Shape shape, int seed) => Fill(Make(shape, Layout.Blocked), seed, -1, 1);

    private Values Labels(int classes)
    {
        int[] labels = [.. Enumerable.Range(0, _batch).Select(i => 7 * i % classes)];
        var values = Make(new Shape(1, _batch), Layout.Plain);
        _reference.Upload(labels, values.Reference);
        _device.Upload(labels, values.Tested);
        return values;
    }

    private Values Arranged(ConvShape s, Values w, bool inputGradient)
    {
        DeviceBuffer On(Device device, DeviceBuffer weight)
        {
            long length = device.Kernels.Conv2dFilterLength(s, inputGradient);
            if (length == 0) return weight;
            var filters = Allocate(device, length);
            device.Kernels.Conv2dArrangeFilters(s, inputGradient, weight, filters);
            return filters;
        }
        return w with { Reference = On(_reference, w.Reference), Tested = On(_device, w.Tested) };
    }

    private Values Make(Shape shape, Layout layout) => new(
        shape, layout, Allocate(_reference, _reference.StorageLength(shape, layout)), Allocate(_device, _device.StorageLength(shape, layout)));

    private Values Fill(Values values, int seed, double low, double high)
    {
        var numbers = new float[values.Shape.Count];
        new RandomKey(1, Purpose.Synthetic, 0, seed, 0, 0).Stream().FillUniform(numbers);
        for (int i = 0; i < numbers.Length; i++) numbers[i] = (float)(low + (high - low) * numbers[i]);
        Write(_reference, values, values.Reference, numbers);
        Write(_device, values, values.Tested, numbers);
        return values;
    }

    private static void Write(Device device, Values values, DeviceBuffer to, float[] numbers)
    {
        if (values.Layout == Layout.Plain) device.Upload(numbers, to);
        else device.UploadBlocked(numbers, values.Shape, to);
    }

    private static float[] Read(Device device, Values values, DeviceBuffer from)
    {
        var numbers = new float[values.Shape.Count];
        if (values.Layout == Layout.Plain) device.Download(from, numbers);
        else device.DownloadBlocked(from, values.Shape, numbers);
        return numbers;
    }

    private DeviceBuffer Allocate(Device device, long words)
    {
        var buffer = device.Allocate(words);
        _made.Add((device, buffer));
        return buffer;
    }

    private void Free()
    {
        foreach (var (owner, buffer) in _made) owner.Free(buffer);
        _made.Clear();
    }

    /// <summary>The same values on both devices.</summary>
    private sealed record Values(Shape Shape, Layout Layout, DeviceBuffer Reference, DeviceBuffer Tested);
}
