namespace Rpat.Trainer.Bench;

/// <summary>Times a library's matrix products at the sizes of kernels that are equivalent to one.</summary>
/// <param name="queue">Queues C = A·B: size, A, B, C.</param>
internal sealed class GemmClock(
    Device device, KernelClock clock, Action<GemmSize, DeviceBuffer, DeviceBuffer, DeviceBuffer> queue, int rounds)
{
    private const int Chunk = 1 << 20;

    private readonly float[] _numbers = Numbers();

    /// <summary>Seconds of one product in each round, in rising order; null if there is no room for the matrices.</summary>
    public double[]? Seconds(GemmSize size)
    {
        List<DeviceBuffer> made = [];
        try
        {
            made.Add(Factor((long)size.M * size.K));
            made.Add(Factor((long)size.K * size.N));
            made.Add(device.Allocate((long)size.M * size.N));
            return clock.Seconds(() => queue(size, made[0], made[1], made[2]), rounds);
        }
        catch (OutOfMemoryException)
        {
            return null;
        }
        finally
        {
            foreach (var buffer in made) device.Free(buffer);
        }
    }

    // Random numbers, since zeros draw less power and therefore allow higher clocks.
    private DeviceBuffer Factor(long words)
    {
        var buffer = device.Allocate(words);
        int first = (int)Math.Min(words, Chunk);
        device.Upload(_numbers.AsSpan(0, first), buffer);
        for (long at = first; at < words; at += first)
        {
            long count = Math.Min(first, words - at);
            device.Copy(buffer.View(0, count), buffer.View(at, count));
        }
        return buffer;
    }

    private static float[] Numbers()
    {
        var numbers = new float[Chunk];
        new RandomKey(1, Purpose.Synthetic, 0, 0, 0, 1).Stream().FillUniform(numbers);
        return numbers;
    }
}
