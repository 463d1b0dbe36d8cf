namespace Rpat.Benchmarks;

/// <summary>Where the time of a compared model's items goes; <c>rpat bench step --profile</c> shows the same for any recipe.</summary>
internal static class StepProfile
{
    private const int Repetitions = 5;

    public static int Run(PeerOptions options, TextWriter output)
    {
        using var workload = new Workload(options);
        foreach (var (item, action) in workload.Items)
        {
            Timing.Warm(action, Peer.Round);
            using var profile = new TapeProfile(workload.Tapes(item));
            var watch = Stopwatch.StartNew();
            for (int i = 0; i < Repetitions; i++) action();
            Write(item, profile, watch.Elapsed.TotalSeconds, options.Batch, output);
        }
        return 0;
    }

    private static void Write(string item, TapeProfile profile, double total, int batch, TextWriter output)
    {
        output.WriteLine(
            Invariant($"\n{item}: {total / Repetitions * 1e3:F1} ms a batch of {batch}, {batch * Repetitions / total:F1} images/s"));
        foreach (var (key, time) in profile.Rows.Take(40))
            output.WriteLine(
                Invariant(
                    $"  {time.Seconds / Repetitions * 1e3,8:F2} ms {time.Seconds / total,6:P1}  {(key.Backward ? "bwd" : "fwd")} {key.Op} {key.Detail} {key.Sizes}"));
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
