namespace Rpat.Benchmarks;

/// <summary>
/// Images per second of the RPAT step with the kernels that the runtime's instruction sets allow; see instruction-sets.sh.
/// </summary>
internal static class StepSpeed
{
    private const int Rounds = 3;
    private const string Item = "rpat-step";

    public static int Run(PeerOptions options, TextWriter output)
    {
        using var workload = new Workload(options);
        var step = workload.Items[Item];
        Timing.Warm(step, Peer.Round);
        var rates = Enumerable.Range(0, Rounds).Select(_ => options.Batch / Timing.Seconds(step, Peer.Round)).Order().ToArray();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{workload.About}: {Item} of {options.Model} {rates[Rounds / 2]:F1} images/s (median of {Rounds}, "
                + $"{rates[0]:F1}–{rates[^1]:F1}), batch {options.Batch}"));
        return 0;
    }
}
