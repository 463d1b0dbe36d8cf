using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

namespace Rpat.Benchmarks;

/// <summary>One Markdown table of all suites, as shown in <c>benchmarks/README.md</c>.</summary>
internal static class SummaryTable
{
    public static void Write(IEnumerable<Summary> summaries, TextWriter output)
    {
        output.WriteLine("| op | kernel | what | median µs | against baseline | GFLOP/s | GB/s | % of peak |");
        output.WriteLine("|---|---|---|---|---|---|---|---|");
        foreach (var summary in summaries)
            foreach (var benchmark in summary.BenchmarksCases) output.WriteLine(Line(summary, benchmark));
        foreach (var summary in summaries)
            output.WriteLine(
                Invariant(
                    $"{Op(summary.BenchmarksCases[0])}: FMA peak {Peak.Of(summary).GigaFlops:F0} GFLOP/s, copy {Peak.Of(summary).GigaBytes:F1} GB/s; median of {Count(summary)}."));
    }

    private static string Line(Summary summary, BenchmarkCase benchmark)
    {
        string head =
            $"| {Op(benchmark)} | {benchmark.Parameters.Items.FirstOrDefault()?.Value} | {benchmark.Descriptor.WorkloadMethod.Name} |";
        if (WorkRate.Of(summary, benchmark) is not { } work) return head + " failed | | | | |";
        var baseline = summary.GetBaseline(summary.GetLogicalGroupKey(benchmark));
        double? ratio = baseline is null ? null : work.Microseconds / WorkRate.Of(summary, baseline)?.Microseconds;
        return head
            + Invariant(
            $" {work.Microseconds:G4} | {ratio:F2} | {work.GigaFlops:F0} | {work.GigaBytes:F1} | {100 * Peak.Of(summary).Share(work):F0} |");
    }

    private static string Op(BenchmarkCase benchmark) => Suites.CasesOf(benchmark.Descriptor.Type).Op;

    private static int Count(Summary summary) => summary.Reports.Min(report => report.ResultStatistics?.N ?? 0);

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
