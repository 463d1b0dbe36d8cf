using System.Diagnostics;
using System.Globalization;
using Rpat.Engine;

namespace Rpat.Benchmarks;

/// <summary>
/// The convolution's three passes on the layers of the real networks against what the machine gives in the same run: its FMA
/// peak, and the roofline min(peak, intensity × copy bandwidth) where every operand is read once and the result written once.
/// </summary>
internal static class ConvRoofline
{
    private const double WarmSeconds = 0.06;
    private const double TimedSeconds = 0.14;
    private const int LeastRepetitions = 5;

    /// <summary>PreActResNet-18, what WideResNet-34-10 adds, the quick recipe's net.</summary>
    private static IReadOnlyList<ConvLayer> Layers =>
    [
        new(3, 64, 32, 3, 1), new(64, 64, 32, 3, 1), new(64, 128, 32, 3, 2), new(128, 128, 16, 3, 1), new(128, 256, 16, 3, 2),
        new(256, 256, 8, 3, 1), new(256, 512, 8, 3, 2), new(512, 512, 4, 3, 1),
        new(64, 128, 32, 1, 2), new(128, 256, 16, 1, 2), new(256, 512, 8, 1, 2),
        new(16, 160, 32, 1, 1), new(160, 320, 32, 3, 2), new(160, 320, 32, 1, 2),
        new(1, 16, 28, 3, 1), new(16, 16, 28, 3, 1), new(16, 32, 28, 3, 2), new(32, 32, 14, 3, 1), new(32, 64, 14, 3, 2),
        new(64, 64, 7, 3, 1), new(64, 128, 7, 3, 2), new(128, 128, 4, 3, 1),
        new(16, 32, 28, 1, 2), new(32, 64, 14, 1, 2), new(64, 128, 7, 1, 2),
    ];

    public static int Run(ConvOptions options, TextWriter output)
    {
        using var machine = new Machine(options.Threads);
        machine.Flops(); // wakes the cores
        double bandwidth = Median([.. Enumerable.Range(0, 5).Select(_ => machine.CopyBandwidth())]);
        double before = machine.Flops();
        output.WriteLine(Invariant($"batch {options.Batch}, {options.Threads} threads, {options.Conv}; copy {bandwidth / 1e9:F1} GB/s (read + written), FMA peak beside each layer"));
        output.WriteLine("| layer | peak | fwd ms | GFLOP/s | of peak | of roof | dx ms | GFLOP/s | of peak | of roof | dw ms | GFLOP/s | of peak | of roof | bound by memory |");
        output.WriteLine("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|");
        foreach (var layer in Layers.Where(l => l.ToString().Contains(options.Filter, StringComparison.Ordinal)))
        {
            var passes = Measure(options, layer);
            double after = machine.Flops();
            output.WriteLine(Line(layer, passes, new Roof((before + after) / 2, bandwidth)));
            before = after;
        }
        return 0;
    }

    /// <summary>The copy bandwidth and the peak that a layer is held against.</summary>
    private readonly record struct Roof(double Peak, double Bandwidth)
    {
        public double Of(Pass pass) => Math.Min(Peak, pass.Flops / pass.Bytes * Bandwidth);
    }

    private sealed record Pass(string Name, double Seconds, double Flops, double Bytes)
    {
        public double Speed => Flops / Seconds;
    }

    private static Pass[] Measure(ConvOptions options, ConvLayer layer)
    {
        using var work = new ConvCase(Device.Cpu(options.Threads, options.Conv), layer, options.Batch);
        var s = work.Shape;
        double x = Touched(s), y = 4.0 * s.Output.Count, w = 4.0 * s.K * s.C * s.R * s.R, dx = 4.0 * s.Input.Count;
        return
        [
            new("fwd", Seconds(work.Forward), s.Flops, x + y + w),
            new("dx", Seconds(work.InputGradient), s.Flops, dx + y + w),
            new("dw", Seconds(work.WeightGradient), s.Flops, x + y + w),
        ];
    }

    /// <summary>Bytes of the input pixels that any filter sees: a 1×1 filter with a stride leaves the others out.</summary>
    private static double Touched(ConvShape s) => 4.0 * (s.R >= s.Stride ? s.Input.Count : (double)s.Input.N * s.C * s.P * s.Q);

    /// <summary>Median of a call's repetitions, warm.</summary>
    private static double Seconds(Action pass)
    {
        for (var warm = Stopwatch.StartNew(); warm.Elapsed.TotalSeconds < WarmSeconds;) pass();
        List<double> times = [];
        for (var all = Stopwatch.StartNew(); times.Count < LeastRepetitions || all.Elapsed.TotalSeconds < TimedSeconds;)
        {
            long start = Stopwatch.GetTimestamp();
            pass();
            times.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        return Median(times);
    }

    private static string Line(ConvLayer layer, Pass[] passes, Roof roof)
    {
        string cells = string.Concat(passes.Select(p => Invariant(
            $" {p.Seconds * 1e3:F3} | {p.Speed / 1e9:F0} | {p.Speed / roof.Peak:P0} | {p.Speed / roof.Of(p):P0} |")));
        var bound = passes.Where(p => roof.Of(p) < roof.Peak).Select(p =>
            Invariant($"{p.Name} {p.Bytes / p.Seconds / 1e9:F1} GB/s, {p.Bytes / p.Seconds / roof.Bandwidth:P0} of copy"));
        return Invariant($"| {layer} | {roof.Peak / 1e9:F0} |{cells} {string.Join("; ", bound)} |");
    }

    private static double Median(IReadOnlyList<double> values) => values.Order().ElementAt(values.Count / 2);

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
