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

    /// <summary>Median time.</summary>
    [JsonIgnore]
    public double Median => KernelClock.Median(Seconds);
}
