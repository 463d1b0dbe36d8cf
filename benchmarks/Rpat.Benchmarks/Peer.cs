namespace Rpat.Benchmarks;

/// <summary>
/// Our side of the comparison with PyTorch: answers <c>run ITEM</c> with seconds per batch and <c>peak</c> with MiB, so that a
/// driver can run both processes in turns.
/// </summary>
internal static class Peer
{
    private const double LeastSeconds = 1;

    public static int Run(PeerOptions options, TextReader input, TextWriter output)
    {
        using var workload = new Workload(options);
        while (input.ReadLine() is { } line && line != "quit")
        {
            output.WriteLine(Answer(workload, line));
            output.Flush();
        }
        return 0;
    }

    private static string Answer(Workload workload, string line) => line.Split(' ') switch
    {
        ["run", var item] when workload.Items.TryGetValue(item, out var action) => Invariant($"{item} {Seconds(action):G6}"),
        ["peak"] => Invariant($"peak {PeakMebibytes():F1}"),
        _ => $"error unknown request '{line}'",
    };

    /// <summary>Seconds of one batch, repeated for at least a second.</summary>
    public static double Seconds(Action action)
    {
        var watch = Stopwatch.StartNew();
        int count = 0;
        do
        {
            action();
            count++;
        }
        while (watch.Elapsed.TotalSeconds < LeastSeconds);
        return watch.Elapsed.TotalSeconds / count;
    }

    /// <summary>Peak resident memory of this process (VmHWM).</summary>
    private static double PeakMebibytes()
    {
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64 / (1024.0 * 1024);
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
