namespace Rpat.Engine.Gpu;

/// <summary>A snapshot of a GPU's sensors, from NVIDIA's management library. Values that the library does not report are null.</summary>
/// <param name="LimitWatts">Power limit.</param>
/// <param name="UsedMib">Memory in use, by all processes.</param>
/// <param name="Throttled">Why its clocks are lower than they could be; empty when nothing limits them.</param>
public sealed record GpuReading(
    int? SmMhz, int? MemoryMhz, double? Watts, double? LimitWatts, int? Celsius, double? UsedMib, IReadOnlyList<string> Throttled)
{
    // nvml.h, "Clocks Event Reasons"; bit 0, an idle GPU, is not a limit.
    private static readonly (ulong Bit, string Name)[] _reasons =
    [
        (0x002, "application clocks"), (0x004, "power cap"), (0x008, "hardware slowdown"), (0x010, "sync boost"),
        (0x020, "thermal, by software"), (0x040, "thermal, by hardware"), (0x080, "power brake"), (0x100, "display clocks"),
    ];

    /// <summary>The names of the reasons in a bit mask from <c>nvmlDeviceGetCurrentClocksThrottleReasons</c>.</summary>
    public static IReadOnlyList<string> Reasons(ulong bits) =>
        [.. _reasons.Where(reason => (bits & reason.Bit) != 0).Select(reason => reason.Name)];

    /// <summary>One line of text.</summary>
    public override string ToString() => string.Join(", ", Parts());

    private IEnumerable<string> Parts()
    {
        if (SmMhz is { } sm) yield return string.Create(CultureInfo.InvariantCulture, $"{sm} MHz");
        if (MemoryMhz is { } memory) yield return string.Create(CultureInfo.InvariantCulture, $"memory {memory} MHz");
        string limit = LimitWatts is { } most ? string.Create(CultureInfo.InvariantCulture, $" of {most:F0}") : "";
        if (Watts is { } watts) yield return string.Create(CultureInfo.InvariantCulture, $"{watts:F0}{limit} W");
        if (Celsius is { } celsius) yield return string.Create(CultureInfo.InvariantCulture, $"{celsius} °C");
        if (UsedMib is { } used) yield return string.Create(CultureInfo.InvariantCulture, $"{used:F0} MiB in use");
        if (Throttled.Count > 0) yield return $"held back by {string.Join(" and ", Throttled)}";
    }
}
