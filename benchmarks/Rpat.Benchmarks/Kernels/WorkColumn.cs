using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using Rpat.Engine.Kernels.Cpu;

namespace Rpat.Benchmarks;

/// <summary>A column computed from a case's median time and the work of a call.</summary>
internal sealed class WorkColumn(string name, string legend, Func<WorkRate, Peak, double?> value) : IColumn
{
    public string Id => name;
    public string ColumnName => name;
    public string Legend => legend;
    public bool AlwaysShow => true;
    public bool IsNumeric => true;
    public int PriorityInCategory => 0;
    public ColumnCategory Category => ColumnCategory.Custom;
    public UnitType UnitType => UnitType.Dimensionless;
    public bool IsAvailable(Summary summary) => true;
    public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;
    public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style) => GetValue(summary, benchmarkCase);

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase) =>
        WorkRate.Of(summary, benchmarkCase) is { } work && value(work, Peak.Of(summary)) is { } number
            ? number.ToString(number < 10 ? "F1" : "F0", CultureInfo.InvariantCulture)
            : "-";
}

/// <summary>What a case reached: floating-point operations and minimum memory traffic per second, in 10⁹; null where it has none.</summary>
/// <param name="Microseconds">Median of a call.</param>
/// <param name="GigaFlops">10⁹ operations per second.</param>
/// <param name="GigaBytes">10⁹ bytes per second.</param>
internal sealed record WorkRate(double Microseconds, double? GigaFlops, double GigaBytes)
{
    /// <summary>The rates of a finished case, or null when it failed.</summary>
    public static WorkRate? Of(Summary summary, BenchmarkCase benchmarkCase)
    {
        if (summary[benchmarkCase]?.ResultStatistics is not { } result) return null;
        var (flops, bytes) = benchmarkCase.Parameters.Items.Select(item => item.Value).OfType<TimedKernel>().Single().Work;
        return new WorkRate(result.Median / 1e3, flops > 0 ? flops / result.Median : null, bytes / result.Median); // the median is in ns
    }
}

/// <summary>The machine's limits, measured in the same run, right after the class of benchmarks that they are compared with.</summary>
/// <param name="GigaFlops">10⁹ operations per second of the fused multiply-add units, all threads.</param>
/// <param name="GigaBytes">10⁹ bytes per second, read and written, of a copy too large for any cache, all threads.</param>
internal sealed record Peak(double GigaFlops, double GigaBytes)
{
    private static readonly Dictionary<string, Peak> _measured = [];

    /// <summary>The limits measured with a class's results.</summary>
    public static Peak Of(Summary summary)
    {
        if (!_measured.TryGetValue(summary.Title, out var peak)) _measured[summary.Title] = peak = Measure();
        return peak;
    }

    /// <summary>
    /// Share of the limit that applies, 1 at the roofline; above 1 where a cache holds the operands or an algorithm needs fewer
    /// operations.
    /// </summary>
    public double? Share(WorkRate work)
    {
        double share = Math.Max((work.GigaFlops ?? 0) / GigaFlops, work.GigaBytes / GigaBytes);
        return share > 0 ? share : null;
    }

    private static Peak Measure()
    {
        using var machine = new Machine(Environment.ProcessorCount);
        using var pool = new WorkerPool(Environment.ProcessorCount);
        Machine.Flops(pool); // wakes the cores
        double[] flops = [.. Enumerable.Range(0, 5).Select(_ => Machine.Flops(pool)).Order()];
        double[] bytes = [.. Enumerable.Range(0, 5).Select(_ => machine.CopyBandwidth(pool)).Order()];
        return new Peak(flops[2] / 1e9, bytes[2] / 1e9);
    }
}
