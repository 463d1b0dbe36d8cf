namespace Rpat.Benchmarks;

/// <summary>One side of a comparison.</summary>
internal interface IPeer
{
    /// <summary>What it is, in one line.</summary>
    string About { get; }

    /// <summary>What it can repeat, by name.</summary>
    IReadOnlyDictionary<string, Action> Items { get; }
}

/// <summary>
/// Answers <c>run ITEM</c> with seconds per batch, <c>peak</c> with MiB and <c>about</c> with a line, so that a driver can run several
/// processes in turns.
/// </summary>
internal static class Peer
{
    public static int Run<T>(T peer, TextReader input, TextWriter output) where T : IPeer, IDisposable
    {
        using var workload = peer;
        while (input.ReadLine() is { } line && line != "quit")
        {
            output.WriteLine(Answer(workload, line));
            output.Flush();
        }
        return 0;
    }

    private static string Answer(IPeer workload, string line) => line.Split(' ') switch
    {
        ["run", var item] when workload.Items.TryGetValue(item, out var action) => Invariant($"{item} {Seconds(action):G6}"),
        ["about"] => $"about {workload.About}",
        ["peak"] => Invariant($"peak {PeakMebibytes():F1}"),
        _ => $"error unknown request '{line}'",
    };

    /// <summary>Seconds of one batch, warm, repeated for at least a second.</summary>
    public static double Seconds(Action action) => Timing.Warm(action, TimeSpan.FromSeconds(1));

    /// <summary>Peak resident memory of this process (VmHWM).</summary>
    private static double PeakMebibytes()
    {
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64 / (1024.0 * 1024);
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
