using Rpat.Engine;

namespace Rpat.Trainer.Bench;

/// <summary>What a device gives at most.</summary>
/// <param name="Flops">Operations a second on registers, a multiply-add counted as two.</param>
/// <param name="Bytes">Bytes a second that a copy between memories which no cache holds reads and writes.</param>
internal readonly record struct Peak(double Flops, double Bytes);

/// <summary>Measures a device's peak; it does so again and again, because a shared machine's changes.</summary>
internal sealed class DevicePeak : IDisposable
{
    private const int Rounds = 3;

    private readonly Device _device;
    private readonly KernelClock _clock;
    private readonly long _words;
    private readonly DeviceBuffer _from;
    private readonly DeviceBuffer _to;

    /// <summary>Allocates what is copied.</summary>
    /// <param name="device">The device.</param>
    /// <param name="clock">How it is timed.</param>
    /// <param name="words">Length of a copy.</param>
    public DevicePeak(Device device, KernelClock clock, long words)
    {
        (_device, _clock, _words) = (device, clock, words);
        (_from, _to) = (device.Allocate(words), device.Allocate(words));
    }

    /// <summary>The peak now; of copies, that of the driver's or of a kernel, whichever is faster.</summary>
    public Peak Measure()
    {
        double operations = 0, multiply = KernelClock.Median(_clock.Seconds(() => operations = _device.QueueMultiplyAdds(), Rounds));
        double kernel = KernelClock.Median(_clock.Seconds(() => _device.Kernels.Scale(_words, _from, 1, false, _to), Rounds));
        double driver = KernelClock.Median(_clock.Seconds(() => _device.Copy(_from, _to), Rounds));
        return new Peak(operations / multiply, 2.0 * sizeof(float) * _words / Math.Min(kernel, driver));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _device.Free(_from);
        _device.Free(_to);
    }
}
