using Rpat.Engine.Kernels.Cpu;

namespace Rpat.Tests.Devices;

/// <summary>Memory that is not there is an exception, after which everything else still works.</summary>
public sealed class CpuDeviceTests : IDisposable
{
    private readonly CpuDevice _device = (CpuDevice)Device.Cpu(1);

    public void Dispose() => _device.Dispose();

    [Fact]
    public void More_than_the_limit_is_not_handed_out()
    {
        _device.MemoryLimit = 1 << 20;
        var half = _device.Allocate(1 << 17);
        Assert.Throws<OutOfMemoryException>(() => _device.Allocate((1 << 17) + 1));
        var other = _device.Allocate(1 << 17);
        Assert.Throws<OutOfMemoryException>(() => _device.Allocate(1));
        _device.Free(half);
        _device.Free(other);
        Assert.Equal(1 << 18, _device.Allocate(1 << 18).Length);
    }

    [Fact]
    public void More_than_the_machine_has_is_not_handed_out() => Assert.Throws<OutOfMemoryException>(() => _device.Allocate(1L << 40));

    [Fact]
    public void A_tape_that_finds_no_memory_runs_once_there_is_some()
    {
        var (small, large) = (Stacked(2), Stacked(1 << 16));
        small.Tape.Forward();
        long limit = _device.MemoryLimit;
        _device.MemoryLimit = 1;
        Assert.Throws<OutOfMemoryException>(large.Tape.Forward);
        _device.MemoryLimit = limit;
        small.Tape.Forward();
        Assert.Equal([1f, 1f, 1f, 1f], small.Result.ToArray());
        large.Tape.Forward();
        Assert.Equal(1f, large.Result.ToArray()[^1]);
    }

    [Fact]
    public void The_description_tells_what_kernels_and_blocks_run()
    {
        using var device = new CpuDevice(2, ConvolutionAlgorithm.Auto, InstructionSet.Avx2, l2: 512 << 10);
        Assert.Equal("AVX2 kernels, 2 threads, blocks for 512 KiB of L2, Winograd and direct convolution", device.Description);
    }

    private (Tape Tape, Tensor Result) Stacked(int length)
    {
        var tape = new Tape(_device);
        var x = Tensor.From(_device, new Shape(1, length), [.. Enumerable.Repeat(1f, length)]);
        return (tape, tape.Retain(tape.Stack(x, x)));
    }
}
