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
    /// <summary>The least time of a measurement, which repeats what is shorter.</summary>
    public static readonly TimeSpan Round = TimeSpan.FromSeconds(1);

    public static int Run<T>(T peer, TextReader input, TextWriter output) where T : IPeer, IDisposable
    {
        using var workload = peer;
        HashSet<string> warm = [];
        while (input.ReadLine() is { } line && line != "quit")
        {
            output.WriteLine(Answer(workload, line, warm));
            output.Flush();
        }
        return 0;
    }

    private static string Answer(IPeer workload, string line, HashSet<string> warm) => line.Split(' ') switch
    {
        ["run", var item] when workload.Items.TryGetValue(item, out var action) =>
            Invariant($"{item} {Seconds(action, isFirst: warm.Add(item)):G6}"),
        ["about"] => $"about {workload.About}",
        ["peak"] => Invariant($"peak {PeakMebibytes():F1}"),
        _ => $"error unknown request '{line}'",
    };

    // Only before its first answer is an item warmed up: a later answer counts whatever happens in it, as the other side's does.
    private static double Seconds(Action action, bool isFirst)
    {
        if (isFirst) Timing.Warm(action, Round);
        return Timing.Seconds(action, Round);
    }

    /// <summary>Peak resident memory of this process (VmHWM).</summary>
    private static double PeakMebibytes()
    {
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64 / (1024.0 * 1024);
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
