using BenchmarkDotNet.Attributes;
using Rpat.Engine;
using Rpat.Engine.Random;

namespace Rpat.Benchmarks;

/// <summary>
/// One op's kernels on real sizes. The baseline of ops that only move memory is a copy of the main tensor by all threads; buffers
/// are filled with random numbers in [0, 1), so that no kernel meets special values.
/// </summary>
[Config(typeof(KernelConfig))]
public abstract class KernelSuite
{
    private long _filled;

    /// <summary>Where the kernels run.</summary>
    protected Device Device { get; private set; } = null!;

    /// <summary>The kernels.</summary>
    protected IKernels Kernels => Device.Kernels;

    /// <summary>Makes the device and the operands.</summary>
    [GlobalSetup]
    public void Setup()
    {
        Device = Device.Cpu();
        Prepare();
    }

    /// <summary>Frees them.</summary>
    [GlobalCleanup]
    public void Cleanup() => Device.Dispose();

    /// <summary>Makes the operands of the present size.</summary>
    protected abstract void Prepare();

    /// <summary>A buffer of random numbers in [0, 1).</summary>
    protected DeviceBuffer Filled(long length)
    {
        var values = new float[length];
        new RandomKey(1, Purpose.Synthetic, 0, _filled++, 0, 0).Stream().FillUniform(values);
        var buffer = Device.Allocate(length);
        Device.Upload(values, buffer);
        return buffer;
    }

    /// <summary>A tensor of activations.</summary>
    protected DeviceBuffer Filled(Shape shape) => Filled(Device.StorageLength(shape, Layout.Blocked));

    /// <summary>A vector with one value per channel.</summary>
    protected DeviceBuffer PerChannel(int channels) => Filled(Device.ChannelLength(channels));

    /// <summary>Labels below a number of classes.</summary>
    protected DeviceBuffer Labels(int count, int classes)
    {
        var buffer = Device.Allocate(count);
        Device.Upload([.. Enumerable.Range(0, count).Select(i => i % classes)], buffer);
        return buffer;
    }

    /// <summary>What ops that only move memory are held against: y = x by all threads.</summary>
    protected void CopyAll(DeviceBuffer x, DeviceBuffer y) => Kernels.Scale(x.Length, x, 1, accumulate: false, y);
}
