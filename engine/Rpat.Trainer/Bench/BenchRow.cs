using System.Text.Json.Serialization;

namespace Rpat.Trainer.Bench;

/// <summary>One thing that was timed.</summary>
/// <param name="Name">What it is; a baseline's row is found by it.</param>
/// <param name="Category">Its kind, such as <c>conv</c>.</param>
/// <param name="Seconds">Of each round, in rising order.</param>
internal sealed record BenchRow(string Name, string Category, IReadOnlyList<double> Seconds)
{
    /// <summary>Images that it handles in that time; 0 where that says nothing.</summary>
    public double Images { get; init; }

    /// <summary>Operations, a multiply-add counted as two; 0 where memory is what counts.</summary>
    public double Flops { get; init; }

    /// <summary>Bytes that at least must move; 0 where they were not counted.</summary>
    public double Bytes { get; init; }

    /// <summary>Its speed over that of the library's product of the same size; null where none was timed.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? OfCublas { get; init; }

    /// <summary>How the GPU stood after the last round; null on a CPU, or where nothing tells.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public GpuReading? Gpu { get; init; }

    /// <summary>Median time.</summary>
    [JsonIgnore]
    public double Median => KernelClock.Median(Seconds);
}
