namespace Rpat.Trainer.Bench;

/// <summary>
/// Times what a device queues. Many runs are queued between two waits, so that a launch's cost is hidden by the previous kernel.
/// </summary>
internal sealed class KernelClock(Device device, TimeSpan round)
{
    private const int MostRuns = 1000; // a queue that is full makes the host wait

    /// <summary>Seconds of one run in each round, in rising order, once the run is warm.</summary>
    public double[] Seconds(Action run, int rounds)
    {
        int runs = (int)Math.Clamp(round.TotalSeconds / Warm(run), 1, MostRuns);
        return [.. Enumerable.Range(0, rounds).Select(_ => Round(run, runs)).Order()];
    }

    /// <summary>The median of rising values; the mean of the middle two if their number is even.</summary>
    public static double Median(IReadOnlyList<double> rising) => (rising[(rising.Count - 1) / 2] + rising[rising.Count / 2]) / 2;

    private double Warm(Action run)
    {
        run(); // compiles
        device.Synchronize();
        double best = double.PositiveInfinity;
        Timing.Warm(() => best = Math.Min(best, Round(run, 4)), round);
        return best;
    }

    private double Round(Action run, int runs)
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < runs; i++) run();
        device.Synchronize();
        // no clock is precise enough to measure zero time
        return Math.Max(1, Stopwatch.GetTimestamp() - start) / (double)Stopwatch.Frequency / runs;
    }
}
