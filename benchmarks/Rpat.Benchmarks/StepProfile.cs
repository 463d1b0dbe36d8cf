using System.Diagnostics;
using System.Globalization;
using Rpat.Engine;

namespace Rpat.Benchmarks;

/// <summary>Where the time of a step goes, op by op and layer by layer.</summary>
internal static class StepProfile
{
    private const int Repetitions = 5;

    public static int Run(PeerOptions options, TextWriter output)
    {
        using var workload = new Workload(options);
        foreach (var (item, action) in workload.Items)
        {
            action();
            var tape = workload.Tape(item);
            var rows = Measure(action, tape, out double total);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"\n{item}: {total * 1e3:F1} ms a batch of {options.Batch}, {options.Batch / total:F1} images/s"));
            foreach (var (name, seconds) in rows.OrderByDescending(r => r.Value).Take(40))
                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {seconds * 1e3,8:F2} ms {seconds / total,6:P1}  {name}"));
        }
        return 0;
    }

    private static Dictionary<string, double> Measure(Action action, Tape tape, out double total)
    {
        var rows = new Dictionary<string, double>();
        string? current = null;
        long since = 0;
        void Switch(string? next)
        {
            long now = Stopwatch.GetTimestamp();
            if (current is not null) rows[current] = rows.GetValueOrDefault(current) + Stopwatch.GetElapsedTime(since, now).TotalSeconds / Repetitions;
            (current, since) = (next, now);
        }
        tape.Profile = (node, backward) => Switch(node is null ? null : $"{(backward ? "bwd" : "fwd")} {node.Op} {Describe(node)}");
        var watch = Stopwatch.StartNew();
        for (int i = 0; i < Repetitions; i++) action();
        total = watch.Elapsed.TotalSeconds / Repetitions;
        tape.Profile = null;
        return rows;
    }

    private static string Describe(Node node) => $"{node.Inputs[0].Tensor.Shape} -> {node.Outputs[0].Shape}";
}
