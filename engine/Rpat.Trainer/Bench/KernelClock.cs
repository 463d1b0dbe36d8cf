namespace Rpat.Trainer.Bench;

/// <summary>Times what a device queues. Many runs lie between two waits, so that what a launch
/// costs hides behind the kernel before.</summary>
internal sealed class KernelClock(Device device, TimeSpan round)
{
    private const int MostRuns = 1000; // a queue that is full makes the host wait

    /// <summary>Seconds of one run in each round, in rising order, after warming up for a round.</summary>
    public double[] Seconds(Action run, int rounds)
    {
        int runs = (int)Math.Clamp(round.TotalSeconds / Warm(run), 1, MostRuns);
        return [.. Enumerable.Range(0, rounds).Select(_ => Round(run, runs)).Order()];
    }

    /// <summary>The middle one of rising values; the mean of two where two are in the middle.</summary>
    public static double Median(IReadOnlyList<double> rising) => (rising[(rising.Count - 1) / 2] + rising[rising.Count / 2]) / 2;

    private double Warm(Action run)
    {
        run(); // compiles
        device.Synchronize();
        double best = double.PositiveInfinity;
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < round || double.IsInfinity(best);) best = Math.Min(best, Round(run, 4));
        return best;
    }

    private double Round(Action run, int runs)
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < runs; i++) run();
        device.Synchronize();
        // no clock is so fine that nothing takes no time
        return Math.Max(1, Stopwatch.GetTimestamp() - start) / (double)Stopwatch.Frequency / runs;
    }
}
