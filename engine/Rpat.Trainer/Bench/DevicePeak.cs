namespace Rpat.Trainer.Bench;

/// <summary>A device's peak performance.</summary>
/// <param name="Flops">Operations per second on registers, a multiply-add counted as two.</param>
/// <param name="Bytes">Bytes per second that a copy reads and writes between buffers that fit in no cache.</param>
internal readonly record struct Peak(double Flops, double Bytes);

/// <summary>Measures a device's peak, repeatedly, because that of a shared machine changes.</summary>
internal sealed class DevicePeak : IDisposable
{
    private const int Rounds = 3;
    private const int HostShare = 16; // staging memory is several times an upload

    private readonly Device _device;
    private readonly KernelClock _clock;
    private readonly long _words;
    private readonly DeviceBuffer _from;
    private readonly DeviceBuffer _to;

    /// <summary>Allocates the buffers for copying.</summary>
    public DevicePeak(Device device, KernelClock clock, long words)
    {
        (_device, _clock, _words) = (device, clock, words);
        (_from, _to) = (device.Allocate(words), device.Allocate(words));
    }

    /// <summary>The peak now; for copies, the driver's or a kernel's, whichever is faster.</summary>
    public Peak Measure()
    {
        double operations = 0, multiply = KernelClock.Median(_clock.Seconds(() => operations = _device.QueuePeakFma(), Rounds));
        double kernel = KernelClock.Median(_clock.Seconds(() => _device.Kernels.Scale(_words, _from, 1, false, _to), Rounds));
        double driver = KernelClock.Median(_clock.Seconds(() => _device.Copy(_from, _to), Rounds));
        return new Peak(operations / multiply, 2.0 * sizeof(float) * _words / Math.Min(kernel, driver));
    }

    /// <summary>
    /// What can be timed by itself, each with its operations or bytes: copies and multiply-adds, and transfers to and from the host.
    /// </summary>
    public IEnumerable<(string Name, double Bytes, Func<double> Queue)> Cases()
    {
        double bytes = 2.0 * sizeof(float) * _words;
        string size = Mebibytes(_words);
        yield return ($"copy of {size}, driver", bytes, () => None(() => _device.Copy(_from, _to)));
        yield return ($"copy of {size}, kernel", bytes, () => None(() => _device.Kernels.Scale(_words, _from, 1, false, _to)));
        var host = new float[Math.Max(1, _words / HostShare)];
        (string less, double once) = (Mebibytes(host.Length), sizeof(float) * (double)host.Length);
        yield return ($"upload of {less}", once, () => None(() => _device.Upload(host, _to)));
        yield return ($"download of {less}", once, () => None(() => _device.Download(_from, host)));
        yield return ("multiply-adds on registers", 0, _device.QueuePeakFma);
    }

    private static double None(Action run)
    {
        run();
        return 0;
    }

    private static string Mebibytes(long words) =>
        string.Create(CultureInfo.InvariantCulture, $"{words * sizeof(float) / (double)(1 << 20):0.##} MiB");

    /// <inheritdoc/>
    public void Dispose()
    {
        _device.Free(_from);
        _device.Free(_to);
    }
}
