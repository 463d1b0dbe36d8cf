namespace Rpat.Trainer.Bench;

/// <summary>Prints what <see cref="ThreadsModel"/> says of a configuration's step.</summary>
internal static class ThreadsTable
{
    private const int Detailed = 32, Shown = 12;

    private static readonly int[] _threads = [1, 4, 8, 16, 32, 64];

    /// <summary>A table of thread counts per item, and where threads of a 32-core CPU wait.</summary>
    public static int Write(TrainerConfig config, IReadOnlyList<string> items, int rounds, TextWriter output)
    {
        config = config with { Device = config.Device with { Name = "cpu" } };
        output.WriteLine(
            "A model, not a measurement: items are timed one by one on this CPU and dealt to n threads; memory does not slow down.");
        foreach (string item in items) WriteItem(config, item, rounds, output);
        return 0;
    }

    private static void WriteItem(TrainerConfig config, string item, int rounds, TextWriter output)
    {
        double alone = 0;
        List<string> waits = [];
        foreach (int threads in _threads)
        {
            using var bench = new StepBench(config with { Run = config.Run with { Threads = threads } });
            if (threads == 1) output.WriteLine($"{item}: {bench.Description}\n  threads   ms a batch   images/s   efficiency");
            var model = bench.OnPaper(item, rounds);
            double seconds = model.Seconds;
            if (threads == 1) alone = seconds;
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"  {threads,7} {seconds * 1e3,12:F2} {bench.Batch / seconds,10:F1} {alone / (threads * seconds),12:P1}"));
            if (threads == Detailed) waits = [.. model.Rows.Take(Shown).Select(row => Line(row, seconds))];
        }
        output.WriteLine($"  of {Detailed} threads' time, what costs most because threads wait:");
        output.WriteLine("  of the step   busy   items");
        foreach (string line in waits) output.WriteLine(line);
    }

    private static string Line(ThreadsModel.Row row, double seconds) => string.Create(CultureInfo.InvariantCulture,
        $"  {row.Idle(Detailed) / seconds,11:P1} {row.Efficiency(Detailed),6:P0} {row.Items,7}  {row.Name}");
}
