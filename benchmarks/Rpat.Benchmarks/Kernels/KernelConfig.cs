using System.Reflection;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Exporters.Json;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using Perfolizer.Horology;

namespace Rpat.Benchmarks;

/// <summary>Jobs of about a second; columns that say how close a kernel is to the machine's limits; results also in JSON.</summary>
public sealed class KernelConfig : ManualConfig
{
    /// <summary>Builds it.</summary>
    public KernelConfig()
    {
        AddJob(Job.Default.WithWarmupCount(2).WithIterationCount(9).WithIterationTime(TimeInterval.FromMilliseconds(60)));
        AddColumn(StatisticColumn.Median, StatisticColumn.Min, StatisticColumn.Max);
        AddColumn(
            new WorkColumn("GFLOP/s", "10⁹ operations of the plain method a second, a multiply-add counted as two",
                (work, _) => work.GigaFlops),
            new WorkColumn("GB/s", "10⁹ bytes per second, every operand read once and the result written once",
                (work, _) => work.GigaBytes),
            new WorkColumn("% of peak", "share of what binds: FMA peak or copy bandwidth, both measured right after the class's runs",
                (work, peak) => peak.Share(work) is { } share ? 100 * share : null));
        AddExporter(JsonExporter.Full);
        CategoryDiscoverer = new OpCategory();
        HideColumns(Column.Error, Column.StdDev, Column.RatioSD);
    }

    /// <summary>A suite's category is that of its op.</summary>
    private sealed class OpCategory : ICategoryDiscoverer
    {
        public string[] GetCategories(MethodInfo method) => [Suites.CasesOf(method.ReflectedType!).Category];
    }
}
