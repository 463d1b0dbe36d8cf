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
    private readonly Lazy<(DeviceBuffer From, DeviceBuffer To)> _buffers;

    /// <param name="words">Length of the copy.</param>
    public DevicePeak(Device device, KernelClock clock, long words)
    {
        (_device, _clock, _words) = (device, clock, words);
        _buffers = new(() => (device.Allocate(words), device.Allocate(words))); // names need none
    }

    private DeviceBuffer From => _buffers.Value.From;

    private DeviceBuffer To => _buffers.Value.To;

    /// <summary>The peak now; for copies, the driver's or a kernel's, whichever is faster.</summary>
    public Peak Measure()
    {
        double operations = 0, multiply = KernelClock.Median(_clock.Seconds(() => operations = _device.QueuePeakFma(), Rounds));
        double kernel = KernelClock.Median(_clock.Seconds(() => _device.Kernels.Scale(_words, From, 1, false, To), Rounds));
        double driver = KernelClock.Median(_clock.Seconds(() => _device.Copy(From, To), Rounds));
        return new Peak(operations / multiply, 2.0 * sizeof(float) * _words / Math.Min(kernel, driver));
    }

    /// <summary>
    /// What can be timed by itself, each with its operations or bytes: copies and multiply-adds, and transfers to and from the host.
    /// </summary>
    public IEnumerable<(string Name, double Bytes, Func<double> Queue)> Cases()
    {
        double bytes = 2.0 * sizeof(float) * _words;
        string size = Mebibytes(_words);
        yield return ($"copy of {size}, driver", bytes, () => None(() => _device.Copy(From, To)));
        yield return ($"copy of {size}, kernel", bytes, () => None(() => _device.Kernels.Scale(_words, From, 1, false, To)));
        var host = new float[Math.Max(1, _words / HostShare)];
        (string less, double once) = (Mebibytes(host.Length), sizeof(float) * (double)host.Length);
        yield return ($"upload of {less}", once, () => None(() => _device.Upload(host, To)));
        yield return ($"download of {less}", once, () => None(() => _device.Download(From, host)));
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
        if (!_buffers.IsValueCreated) return;
        _device.Free(From);
        _device.Free(To);
    }
}
