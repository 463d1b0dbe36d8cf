using Rpat.Engine.Kernels.Cpu;

namespace Rpat.Benchmarks;

/// <summary>
/// Compares the convolution's three passes on the layers of real networks with two limits measured at the same time: the FMA peak,
/// measured between the passes because a shared host's speed changes, and the bound min(peak, intensity × bandwidth), where every
/// operand is read once and each line of the result is fetched (a cache does so before a write) and written once.
/// </summary>
internal sealed class ConvRoofline(ConvOptions options, Machine machine)
{
    private const double RoundSeconds = 0.006;
    private const double TimedSeconds = 0.15;
    private const int LeastRounds = 5;

    private static readonly TimeSpan _warm = TimeSpan.FromSeconds(0.06);

    /// <summary>The layers of PreActResNet-18, those that WideResNet-34-10 adds, and those of the quick recipe's net.</summary>
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
        output.WriteLine(
            Invariant(
                $"batch {options.Batch}, {options.Threads} threads, {options.Conv}; medians; GB/s of copies (read, fetched, written), shares of the FMA peak and of the bound"));
        output.WriteLine(
            "| layer | peak | GB/s | fwd ms | GFLOP/s | of peak | of bound | dx ms | GFLOP/s | of peak | of bound | dw ms | GFLOP/s | "
                + "of peak | of bound | bound by memory |");
        output.WriteLine("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|");
        foreach (var layer in Layers.Where(options.Wants))
            output.WriteLine(Line(layer, new ConvRoofline(options, machine).Measure(layer)));
        return 0;
    }

    /// <summary>A pass of a layer, with its operations and minimum memory traffic.</summary>
    private sealed record Pass(string Name, Action Run, double Flops, double Bytes);

    /// <summary>Medians of a pass's rounds.</summary>
    private sealed record Result(Pass Pass, double Seconds, double Peak, double OfPeak, double Bandwidth)
    {
        public double Speed => Pass.Flops / Seconds;

        public double FromMemory => Pass.Flops / Pass.Bytes * Bandwidth;

        public bool IsBoundByMemory => FromMemory < Peak;

        public double OfBound => IsBoundByMemory ? Speed / FromMemory : OfPeak;
    }

    private Result[] Measure(ConvLayer layer)
    {
        using var work = new ConvCase(Device.Cpu(options.Threads, options.Conv), layer, options.Batch);
        var pool = ((CpuKernels)work.Device.Kernels).Pool;
        double bandwidth = Median([.. Enumerable.Range(0, 3).Select(_ => machine.MovedBandwidth(pool))]);
        return [.. Passes(work).Where(p => options.Pass is "" || options.Pass == p.Name).Select(p => Timed(p, pool, bandwidth))];
    }

    private static Pass[] Passes(ConvCase work)
    {
        var s = work.Shape;
        double x = Touched(s), y = 4.0 * s.Output.Count, w = 4.0 * s.K * s.C * s.R * s.R, dx = 4.0 * s.Input.Count;
        return
        [
            new("fwd", work.Forward, s.Flops, x + w + 2 * y),
            new("dx", work.InputGradient, s.Flops, y + w + 2 * dx),
            new("dw", work.WeightGradient, s.Flops, x + y + 2 * w),
        ];
    }

    /// <summary>Bytes of the input pixels that any filter reads: a 1×1 filter with a stride skips the others.</summary>
    private static double Touched(ConvShape s) => 4.0 * (s.R >= s.Stride ? s.Input.Count : (double)s.Input.N * s.C * s.P * s.Q);

    /// <summary>Rounds of a few warm calls, each between two measurements of the peak.</summary>
    private Result Timed(Pass pass, WorkerPool pool, double bandwidth)
    {
        double once = Timing.Warm(pass.Run, _warm), before = Machine.Flops(pool);
        int calls = (int)Math.Max(1, RoundSeconds / once);
        List<(double Seconds, double Peak)> rounds = [];
        for (var all = Stopwatch.StartNew(); rounds.Count < LeastRounds || all.Elapsed.TotalSeconds < TimedSeconds;)
        {
            double seconds = Seconds(pass.Run, calls), after = Machine.Flops(pool);
            rounds.Add((seconds, (before + after) / 2));
            before = after;
        }
        return new(pass, Median([.. rounds.Select(r => r.Seconds)]), Median([.. rounds.Select(r => r.Peak)]),
            Median([.. rounds.Select(r => pass.Flops / r.Seconds / r.Peak)]), bandwidth);
    }

    private static double Seconds(Action pass, int calls)
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < calls; i++) pass();
        return Stopwatch.GetElapsedTime(start).TotalSeconds / calls;
    }

    private static string Line(ConvLayer layer, Result[] results)
    {
        string cells = string.Concat(((string[])["fwd", "dx", "dw"]).Select(pass => Array.Find(results, r => r.Pass.Name == pass)
            is { } r ? Invariant($" {r.Seconds * 1e3:F3} | {r.Speed / 1e9:F0} | {r.OfPeak:P0} | {r.OfBound:P0} |") : " | | | |"));
        var bound = results.Where(r => r.IsBoundByMemory).Select(r => Invariant($"{r.Pass.Name} {r.Pass.Bytes / r.Seconds / 1e9:F1} GB/s"));
        return Invariant(
            $"| {layer} | {Median([.. results.Select(r => r.Peak)]) / 1e9:F0} | {results[0].Bandwidth / 1e9:F1} |{cells} {string.Join("; ", bound)} |");
    }

    private static double Median(IReadOnlyList<double> values) => values.Order().ElementAt(values.Count / 2);

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
