namespace Rpat.Trainer.Bench;

/// <summary>A kernel's time next to the minimum that its device allows.</summary>
/// <param name="Seconds">Of each round, in rising order.</param>
/// <param name="Flops">Operations, a multiply-add counted as two; 0 if memory is the limit.</param>
/// <param name="Peak">The device's peak at the same time.</param>
internal sealed record KernelLine(string Name, string Category, IReadOnlyList<double> Seconds, double Flops, double Bytes, Peak Peak)
{
    /// <summary>Its speed divided by that of a library's product of the same size; null if none was timed.</summary>
    public double? OfCublas { get; init; }

    /// <summary>The GPU's state after the last round.</summary>
    public GpuReading? Gpu { get; init; }

    /// <summary>Median time of a run.</summary>
    public double Median => KernelClock.Median(Seconds);

    /// <summary>The longer of the times that the operations and the bytes take at the peak, divided by the kernel's own.</summary>
    public double PeakFraction => Math.Max(Flops / Peak.Flops, Bytes / Peak.Bytes) / Median;

    /// <summary>The row of a stored result.</summary>
    public BenchRow Row => new(Name, Category, Seconds) { Flops = Flops, Bytes = Bytes, OfCublas = OfCublas, Gpu = Gpu };

    /// <summary>Which of the two it is.</summary>
    public bool IsBoundByArithmetic => Flops / Peak.Flops > Bytes / Peak.Bytes;
}

/// <summary>Times every kernel of the contract against what the device can compute and move, measured between them.</summary>
/// <param name="device">What is timed; the caller disposes of it.</param>
/// <param name="sizes">At which sizes the cases of an op are timed.</param>
/// <param name="copyWords">Length of the copy that memory is measured with: more than any cache holds.</param>
internal sealed class KernelTable(Device device, Func<OpCases, IEnumerable<CaseGroup>> sizes, TimeSpan round, int rounds, long copyWords)
{
    private readonly KernelClock _clock = new(device, round);

    /// <summary>Queues a library's product C = A·B of float32 matrices: size, A, B, C. Null if there is no library.</summary>
    public Action<GemmSize, DeviceBuffer, DeviceBuffer, DeviceBuffer>? Library { get; init; }

    /// <summary>Reads the device's state; null if it does not report one.</summary>
    public Func<GpuReading?>? Reading { get; init; }

    /// <summary>The category of a device's peak, with which kernels are compared.</summary>
    public const string PeakCategory = "peak";

    /// <summary>All categories.</summary>
    public static IReadOnlyList<string> Categories { get; } = [.. OpCases.Categories.Append(PeakCategory).Order(StringComparer.Ordinal)];

    /// <summary>The names above the columns of <see cref="Format"/>.</summary>
    public static string Header { get; } = $"{"kernel",-42} {"µs",10}  {"range",-21} {"GFLOP/s",9} {"GB/s",8} {"of peak",8}  bound by";

    /// <summary>The kernels that <see cref="Run"/> times, with their op and category, in its order.</summary>
    public IEnumerable<(string Name, string Op, string Category)> Names()
    {
        using var peak = new DevicePeak(device, _clock, copyWords);
        foreach (var one in peak.Cases()) yield return (one.Name, "", PeakCategory);
        foreach (var (op, group) in from op in OpCases.All from @group in sizes(op) select (op, @group))
        {
            var make = new TestTensors(device);
            foreach (string name in group.Make(make).Select(one => one.Name).ToList()) yield return (name, op.Op, op.Category);
            make.Free();
        }
    }

    /// <summary>Times kernel after kernel; the peak is measured again for each group of them.</summary>
    /// <param name="wants">Selects by the name of kernel or op, and by category, what is timed; everything if null.</param>
    public IEnumerable<KernelLine> Run(Func<string, string, bool>? wants = null)
    {
        var gemm = Library is null ? null : new GemmClock(device, _clock, Library, rounds);
        using var peak = new DevicePeak(device, _clock, copyWords);
        foreach (var line in Peaks(peak, wants)) yield return line;
        foreach (var (op, group) in from op in OpCases.All from @group in sizes(op) select (op, @group))
        {
            Peak? now = null;
            var make = new TestTensors(device);
            foreach (var one in group.Make(make).Where(one => wants is null || wants(one.Name, op.Category) || wants(op.Op, op.Category)))
            {
                foreach (var line in WithLibrary(Time(one, op.Category, now ??= peak.Measure()), one.Gemm, gemm)) yield return line;
            }
            make.Free();
        }
    }

    /// <summary>A line of the table.</summary>
    public static string Format(KernelLine line)
    {
        string flops = line.Flops > 0 ? (line.Flops / line.Median / 1e9).ToString("F0", CultureInfo.InvariantCulture) : "";
        string range = string.Create(CultureInfo.InvariantCulture, $"{1e6 * line.Seconds[0]:F1}–{1e6 * line.Seconds[^1]:F1}");
        return string.Create(CultureInfo.InvariantCulture,
            $"{line.Name,-42} {1e6 * line.Median,10:F1}  {range,-21} {flops,9} {line.Bytes / line.Median / 1e9,8:F1} "
                + $"{line.PeakFraction,8:F3}  "
                + $"{(line.IsBoundByArithmetic ? "arithmetic" : "memory")}")
            + (line.OfCublas is { } share ? string.Create(CultureInfo.InvariantCulture, $"  {share:F2} of cuBLAS") : "");
    }

    private KernelLine Time(KernelCase one, string category, Peak peak)
    {
        double[] seconds = _clock.Seconds(() => one.Run(device.Kernels), rounds);
        return new(one.Name, category, seconds, one.Flops, one.Bytes, peak) { Gpu = Reading?.Invoke() };
    }

    private IEnumerable<KernelLine> Peaks(DevicePeak peak, Func<string, string, bool>? wants)
    {
        Peak? now = null;
        foreach (var (name, bytes, queue) in peak.Cases().Where(one => wants is null || wants(one.Name, PeakCategory)))
        {
            double flops = 0;
            double[] seconds = _clock.Seconds(() => flops = queue(), rounds);
            var reading = Reading?.Invoke();
            yield return new KernelLine(name, PeakCategory, seconds, flops, bytes, now ??= peak.Measure()) { Gpu = reading };
        }
    }

    /// <summary>A kernel's line, followed by that of the library's product of the same size on prepared matrices.</summary>
    private IEnumerable<KernelLine> WithLibrary(KernelLine ours, GemmSize? size, GemmClock? gemm)
    {
        if (size is not { } product || gemm?.Seconds(product) is not { } seconds) return [ours];
        string kernel = string.Concat(ours.Name.TakeWhile(c => !char.IsAsciiDigit(c))).TrimEnd();
        string name = string.Create(CultureInfo.InvariantCulture, $"cuBLAS {product.M}x{product.N}x{product.K} for {kernel}");
        var theirs = new KernelLine(name, ours.Category, seconds, product.Flops, product.Bytes, ours.Peak) { Gpu = Reading?.Invoke() };
        return [ours with { OfCublas = theirs.Median / ours.Median }, theirs];
    }
}
