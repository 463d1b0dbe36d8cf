using System.Globalization;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

namespace Rpat.Benchmarks;

/// <summary>Short jobs, a Markdown table, and a column with GFLOP/s in direct-convolution operations.</summary>
public sealed class KernelConfig : ManualConfig
{
    /// <summary>Builds it.</summary>
    public KernelConfig()
    {
        AddJob(Job.ShortRun);
        AddColumn(new GflopsColumn());
        AddExporter(MarkdownExporter.GitHub);
    }

    private sealed class GflopsColumn : IColumn
    {
        public string Id => "GFLOP/s";
        public string ColumnName => "GFLOP/s";
        public string Legend => "10⁹ multiply-adds × 2 of the direct method a second";
        public bool AlwaysShow => true;
        public bool IsNumeric => true;
        public int PriorityInCategory => 0;
        public ColumnCategory Category => ColumnCategory.Custom;
        public UnitType UnitType => UnitType.Dimensionless;
        public bool IsAvailable(Summary summary) => true;
        public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;
        public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style) => GetValue(summary, benchmarkCase);

        public string GetValue(Summary summary, BenchmarkCase benchmarkCase)
        {
            if (benchmarkCase.Parameters["Layer"] is not ConvLayer layer || summary[benchmarkCase]?.ResultStatistics is not { } result) return "-";
            return (Conv2dBenchmarks.Flops(layer) / result.Median).ToString("F0", CultureInfo.InvariantCulture); // median in ns
        }
    }
}
