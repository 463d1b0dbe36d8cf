using Rpat.Engine.Gpu.Driver;

namespace Rpat.Tests.Gpu.Driver;

/// <summary>A driver that answers what a test gives it.</summary>
internal sealed class FakeDriver : IDriver
{
    public static DeviceFacts H100 { get; } = new("NVIDIA H100", 80L << 30, 132, 9, 0, 227 << 10, "0000:3B:00.0");

    public static DeviceFacts T4 { get; } = new("Tesla T4", 15L << 30, 40, 7, 5, 64 << 10, "0000:00:1E.0");

    public static DeviceFacts Gtx1080 { get; } = new("GTX 1080", 8L << 30, 20, 6, 1, 48 << 10, "0000:01:00.0");

    public int Cuda { get; init; } = 12040;

    public IReadOnlyList<DeviceFacts> Found { get; init; } = [H100];

    public string? Refusal { get; init; }

    public FunctionFacts Function { get; init; } = new(128, 512, 0, 0);

    public bool Locks { get; init; } = true;

    /// <summary>Dynamic shared memory that was allowed, in order.</summary>
    public List<int> Allowed { get; } = [];

    public int Version() => Refusal is null ? Cuda : throw new DriverException(Refusal);

    public string Release() => "550.54.15";

    public IReadOnlyList<DeviceFacts> Devices() => Found;

    public FunctionFacts Describe(nint function) => Function;

    public void AllowDynamicShared(nint function, int bytes) => Allowed.Add(bytes);

    public bool IsPageLocked(nint pointer) => Locks;
}
