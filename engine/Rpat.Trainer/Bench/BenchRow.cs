using System.Text.Json.Serialization;

namespace Rpat.Trainer.Bench;

/// <summary>One thing that was timed.</summary>
/// <param name="Name">What it is; the baseline's row is found by this name.</param>
/// <param name="Category">Its kind, such as <c>conv</c>.</param>
/// <param name="Seconds">Of each round, in rising order.</param>
internal sealed record BenchRow(string Name, string Category, IReadOnlyList<double> Seconds)
{
    /// <summary>Images that it handles in that time; 0 if not applicable.</summary>
    public double Images { get; init; }

    /// <summary>Operations, a multiply-add counted as two; 0 if memory is the limit.</summary>
    public double Flops { get; init; }

    /// <summary>The least number of bytes that must move; 0 if they were not counted.</summary>
    public double Bytes { get; init; }

    /// <summary>Its speed divided by that of the library's product of the same size; null if none was timed.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? OfCublas { get; init; }

    /// <summary>The GPU's state after the last round; null on a CPU, or if it cannot be read.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public GpuReading? Gpu { get; init; }

    /// <summary>Median time.</summary>
    [JsonIgnore]
    public double Median => KernelClock.Median(Seconds);
}
