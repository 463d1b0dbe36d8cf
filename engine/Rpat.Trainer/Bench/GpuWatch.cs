using Rpat.Trainer.Cli;

namespace Rpat.Trainer.Bench;

/// <summary>Reads a GPU's clocks, power and temperature while something is timed on it; reads nothing on a CPU.</summary>
internal sealed class GpuWatch : IDisposable
{
    private readonly GpuSensors? _sensors;

    private GpuWatch(GpuSensors? sensors) => _sensors = sensors;

    /// <summary>Opens the sensors of a device; if there are none, this is reported once.</summary>
    public static GpuWatch Of(Device device, CommandContext host)
    {
        if (device is not GpuDevice) return new GpuWatch(null);
        var gpu = GpuBackend.Find().Devices.First(one => one.Name == device.Name);
        var sensors = GpuSensors.Open(gpu, out string? why);
        if (why is not null) host.Note($"note: rows have no clocks, power and temperature, since {why}");
        return new GpuWatch(sensors);
    }

    /// <summary>The GPU's current state, or null.</summary>
    public GpuReading? Read() => _sensors?.Read();

    /// <inheritdoc/>
    public void Dispose() => _sensors?.Dispose();
}
