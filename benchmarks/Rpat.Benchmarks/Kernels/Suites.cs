using BenchmarkDotNet.Running;

namespace Rpat.Benchmarks;

/// <summary>
/// One suite per op that has cases, run by BenchmarkDotNet with its own options, and one table of all of them at the end.
/// </summary>
internal static class Suites
{
    public static int Run(string[] args)
    {
        Type[] suites = [.. OpCases.All.Select(cases => typeof(OpBenchmarks<>).MakeGenericType(cases.GetType()))];
        var summaries = BenchmarkSwitcher.FromTypes(suites).Run(args).ToList();
        if (summaries.Count == 0) return args.Contains("--list") || args.Contains("--help") ? 0 : 1;
        SummaryTable.Write(summaries, Console.Out);
        return summaries.All(summary => summary.Reports.Length > 0 && summary.Reports.All(report => report.Success)) ? 0 : 1;
    }

    /// <summary>The cases that a suite is made of.</summary>
    public static OpCases CasesOf(Type suite) => (OpCases)Activator.CreateInstance(suite.GenericTypeArguments.Single())!;
}
