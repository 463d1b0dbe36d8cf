using System.Globalization;
using Rpat.Engine;
using Rpat.Trainer.Bench.Kernels;

namespace Rpat.Trainer.Bench;

/// <summary>A kernel's time beside the least that its device allows.</summary>
/// <param name="Name">Kernel and size.</param>
/// <param name="Category">Kind of kernel.</param>
/// <param name="Seconds">Of each round, in rising order.</param>
/// <param name="Flops">Operations, a multiply-add counted as two; 0 where memory is what counts.</param>
/// <param name="Bytes">Bytes that at least must move.</param>
/// <param name="Peak">What the device gave in the same moments.</param>
internal sealed record KernelLine(string Name, string Category, IReadOnlyList<double> Seconds, double Flops, double Bytes, Peak Peak)
{
    /// <summary>Median time of a run.</summary>
    public double Median => KernelClock.Median(Seconds);

    /// <summary>The longer one of the times that the operations and the bytes take at the peak, over the kernel's own.</summary>
    public double Share => Math.Max(Flops / Peak.Flops, Bytes / Peak.Bytes) / Median;

    /// <summary>The row of a result that is kept.</summary>
    public BenchRow Row => new(Name, Category, Seconds) { Flops = Flops, Bytes = Bytes };

    /// <summary>Which of the two it is.</summary>
    public bool IsBoundByArithmetic => Flops / Peak.Flops > Bytes / Peak.Bytes;
}

/// <summary>Times every kernel of the contract against what the device can compute and move, measured between them.</summary>
/// <param name="device">What is timed; the caller disposes of it.</param>
/// <param name="sizes">Sizes.</param>
/// <param name="round">Least time of a round.</param>
/// <param name="rounds">Rounds of a kernel.</param>
/// <param name="copyWords">Length of the copy that memory is measured by: more than any cache holds.</param>
internal sealed class KernelTable(Device device, KernelSizes sizes, TimeSpan round, int rounds, long copyWords)
{
    private readonly KernelClock _clock = new(device, round);

    /// <summary>The names above the columns of <see cref="Format"/>.</summary>
    public static string Header { get; } = $"{"kernel",-42} {"µs",10}  {"range",-21} {"GFLOP/s",9} {"GB/s",8} {"of peak",8}  bound by";

    /// <summary>Times kernel after kernel; the peak is measured anew for each group of them.</summary>
    /// <param name="wants">Says by name and category what is timed; everything when null.</param>
    public IEnumerable<KernelLine> Run(Func<string, string, bool>? wants = null)
    {
        var make = new Givens(device);
        using var peak = new DevicePeak(device, _clock, copyWords);
        foreach (var group in KernelCases.Groups(sizes))
        {
            Peak? now = null;
            foreach (var one in group(make).Where(one => wants is null || wants(one.Name, KernelCategories.Of(one)))) yield return Time(one, now ??= peak.Measure());
            make.Free();
        }
    }

    /// <summary>A line of the table.</summary>
    public static string Format(KernelLine line)
    {
        string flops = line.Flops > 0 ? (line.Flops / line.Median / 1e9).ToString("F0", CultureInfo.InvariantCulture) : "";
        string range = string.Create(CultureInfo.InvariantCulture, $"{1e6 * line.Seconds[0]:F1}–{1e6 * line.Seconds[^1]:F1}");
        return string.Create(CultureInfo.InvariantCulture,
            $"{line.Name,-42} {1e6 * line.Median,10:F1}  {range,-21} {flops,9} {line.Bytes / line.Median / 1e9,8:F1} {line.Share,8:F3}  {(line.IsBoundByArithmetic ? "arithmetic" : "memory")}");
    }

    private KernelLine Time(KernelCase one, Peak peak) =>
        new(one.Name, KernelCategories.Of(one), _clock.Seconds(() => one.Run(device.Kernels), rounds), one.Flops, one.Bytes, peak);
}
