using BenchmarkDotNet.Running;

namespace Rpat.Benchmarks;

/// <summary>The kernel suites, run by BenchmarkDotNet with its own options, and one table of all of them at the end.</summary>
internal static class Suites
{
    public static int Run(string[] args)
    {
        var summaries = BenchmarkSwitcher.FromAssembly(typeof(Suites).Assembly).Run(args).ToList();
        if (summaries.Count == 0) return args.Contains("--list") || args.Contains("--help") ? 0 : 1;
        SummaryTable.Write(summaries, Console.Out);
        return summaries.All(summary => summary.Reports.Length > 0 && summary.Reports.All(report => report.Success)) ? 0 : 1;
    }
}
