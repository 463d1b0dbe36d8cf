using ILGPU.Runtime;
using Rpat.Engine.Gpu.Kernels;
using Rpat.Engine.Gpu.Queues;

namespace Rpat.Tests.Gpu;

/// <summary>The kernels that measure what a GPU gives at most: they compute what they count.</summary>
public class PeakTests(GpuFixture fixture) : IClassFixture<GpuFixture>
{
    /// <summary>Eight chains from i + k on, k = 0…7, each taken twice to x/2 + 1/2.</summary>
    [Fact]
    public void Chains_of_multiply_adds()
    {
        const int threads = 256;
        float[] sums = Run(Precision.Fp32, threads, 2 * 64 * threads);
        Assert.Equal(Enumerable.Range(0, threads).Select(i => 8 * (0.25f * (i + 3.5f) + 0.75f)), sums.Chunk(4).Select(quad => quad[0]));
        Assert.All(sums.Chunk(4), quad => Assert.All(quad, value => Assert.Equal(quad[0], value)));
    }

    /// <summary>Products of factors ½: a quarter for each step of the reduction.</summary>
    [Theory]
    [InlineData(Precision.Tf32, 8)]
    [InlineData(Precision.Bf16, 16)]
    public void Chains_of_products(Precision precision, int depth) =>
        Assert.All(Run(precision, 128, 2.0 * 128 * 64 * depth), value => Assert.Equal(0.25f * depth, value));

    private float[] Run(Precision precision, int threads, double operations)
    {
        var device = fixture.Device(precision);
        Assert.Equal(operations, device.QueuePeakFma());
        float[] sums = new float[4 * threads];
        var scratch = ((GpuKernels)device.Kernels).Scratch.Words(ScratchSlot.Partial, sums.Length);
        Marshal.Copy(scratch.LoadEffectiveAddressAsPtr(), sums, 0, sums.Length);
        return sums;
    }
}
