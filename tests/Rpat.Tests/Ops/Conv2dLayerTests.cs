using Rpat.Tests.Reference;

namespace Rpat.Tests.Ops;

/// <summary>
/// Accuracy on further layer shapes of PreActResNet-18 and those of WideResNet-34-10. The reference computes a few channels of each result
/// in full: filters are independent in y and dw, input channels in dx.
/// </summary>
public class Conv2dLayerTests
{
    private const int Sampled = 16;

    private static Tolerance Fine { get; } = new(1e-5, 4e-12); // a relative error of 2e-6

    /// <summary>Batch, input channels, side, filters, kernel, stride.</summary>
    public static TheoryData<int, int, int, int, int, int> Layers => new()
    {
        // PreActResNet-18's, next to those of Conv2dCases
        { 2, 128, 16, 256, 3, 2 }, { 2, 128, 16, 256, 1, 2 }, { 2, 256, 8, 512, 3, 2 }, { 2, 256, 8, 512, 1, 2 },
        // Batches whose weight gradient is summed in shares, and in chunks
        { 9, 64, 32, 64, 3, 1 }, { 40, 160, 8, 160, 3, 1 },
        // WideResNet-34-10
        { 1, 3, 32, 16, 3, 1 }, { 1, 16, 32, 160, 3, 1 }, { 1, 16, 32, 160, 1, 1 }, { 1, 160, 32, 160, 3, 1 },
        { 1, 160, 32, 320, 3, 2 }, { 1, 160, 32, 320, 1, 2 }, { 1, 320, 16, 320, 3, 1 },
        { 1, 320, 16, 640, 3, 2 }, { 1, 320, 16, 640, 1, 2 }, { 1, 640, 8, 640, 3, 1 },
    };

    [Theory]
    [MemberData(nameof(Layers))]
    public void LayersOfTheModels(int n, int c, int side, int k, int kernel, int stride)
    {
        Window window = new(stride, kernel / 2);
        int outputs = window.Outputs(side, kernel);
        // Behind a ReLU activations are not negative; filters have the size of PyTorch's first weights, gradients are normal.
        Array4 x = ReferenceElementwise.Relu(Array4.Normal(n, c, side, side, seed: 1));
        Array4 w = Array4.Uniform(k, c, kernel, kernel, seed: 2, -1 / Math.Sqrt(c * kernel * kernel), 1 / Math.Sqrt(c * kernel * kernel));
        Array4 dy = Array4.Normal(n, k, outputs, outputs, seed: 3);
        int[] filters = Sample(k), channels = Sample(c);
        Array4 partW = w.Samples(filters), partDy = dy.Channels(filters);
        Array4 y = ReferenceConv2d.Forward(x, partW, null, window), dw = ReferenceConv2d.WeightGradient(x, partW, partDy, window);
        Array4 dx = ReferenceConv2d.InputGradient(x.Channels(channels), w.Channels(channels), dy, window);
        foreach (CpuSetup setup in CpuSetup.Most.Where(s => s.Threads == 1))
        {
            var result = Run(setup, x, w, dy, window);
            OpGraph.AssertClose(y, result.Y.Channels(filters), OpGraph.Allowed(setup), $"y, {setup}");
            OpGraph.AssertClose(dx, result.Dx.Channels(channels), OpGraph.Allowed(setup), $"dx, {setup}");
            OpGraph.AssertClose(dw, result.Dw.Samples(filters), OpGraph.Allowed(setup), $"dw, {setup}");
        }
    }

    /// <summary>
    /// How much Winograd rounds depends on its interpolation points: with 0, ±1, ±2, ∞ the relative error is 2.5e-6 to 3.4e-6 here.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void WinogradRoundsLittle(int stride)
    {
        Window window = new(stride, 1);
        double size = 1 / Math.Sqrt(9 * 256);
        Array4 x = ReferenceElementwise.Relu(Array4.Normal(2, 256, 8, 8, seed: 1));
        Array4 w = Array4.Uniform(256, 256, 3, 3, seed: 2, -size, size), dy = Array4.Normal(2, 256, 8 / stride, 8 / stride, seed: 3);
        int[] some = Sample(256);
        Array4 partW = w.Samples(some), partDy = dy.Channels(some);
        var result = Run(CpuSetup.Best, x, w, dy, window);
        OpGraph.AssertClose(ReferenceConv2d.Forward(x, partW, null, window), result.Y.Channels(some), Fine, "y");
        OpGraph.AssertClose(ReferenceConv2d.InputGradient(x.Channels(some), w.Channels(some), dy, window),
            result.Dx.Channels(some), Fine, "dx");
        OpGraph.AssertClose(ReferenceConv2d.WeightGradient(x, partW, partDy, window), result.Dw.Samples(some), Fine, "dw");
    }

    /// <summary>Batches that are cut into several shares, groups and chunks, for different caches too.</summary>
    [Theory]
    [InlineData(33, 256, 4, 144, 3, 1)]
    [InlineData(9, 64, 32, 64, 3, 1)]
    [InlineData(9, 3, 32, 64, 3, 1)]
    [InlineData(40, 160, 8, 160, 3, 1)]
    [InlineData(40, 64, 16, 128, 3, 2)]
    [InlineData(33, 144, 8, 272, 3, 2)]
    [InlineData(40, 64, 16, 128, 1, 2)]
    public void ThreadsAndCachesDoNotChangeABit(int n, int c, int side, int k, int kernel, int stride)
    {
        Window window = new(stride, kernel / 2);
        int outputs = window.Outputs(side, kernel);
        Array4 x = Array4.Uniform(n, c, side, side, seed: 1), w = Array4.Uniform(k, c, kernel, kernel, seed: 2);
        Array4 dy = Array4.Uniform(n, k, outputs, outputs, seed: 3);
        foreach (ConvolutionAlgorithm algorithm in Enum.GetValues<ConvolutionAlgorithm>())
        {
            CpuSetup setup = CpuSetup.Best with { Convolution = algorithm };
            var one = Run(setup, x, w, dy, window);
            foreach (int threads in new[] { 2, 3, 26 })
            {
                var many = Run(setup with { Threads = threads, L2 = Math.Min(threads, 8) << 18 }, x, w, dy, window);
                Assert.True(OpGraph.SameBits(one.Y, many.Y), "y");
                Assert.True(OpGraph.SameBits(one.Dx, many.Dx), "dx");
                Assert.True(OpGraph.SameBits(one.Dw, many.Dw), "dw");
            }
        }
    }

    /// <summary>Winograd whose filters are transformed for each chunk of tiles: a map among many
    /// gets the bits that it gets alone.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void ChunksDoNotChangeABit(int stride)
    {
        Window window = new(stride, 1);
        Array4 x = Array4.Uniform(240, 192, 4 * stride, 8, seed: 1), w = Array4.Uniform(176, 192, 3, 3, seed: 2);
        Array4 dy = Array4.Uniform(240, 176, 4, 8 / stride, seed: 3);
        var all = Run(CpuSetup.Best, x, w, dy, window);
        foreach (int[] one in new int[][] { [0], [239] })
        {
            var alone = Run(CpuSetup.Best, x.Samples(one), w, dy.Samples(one), window);
            Assert.True(OpGraph.SameBits(alone.Y, all.Y.Samples(one)), "y");
            Assert.True(OpGraph.SameBits(alone.Dx, all.Dx.Samples(one)), "dx");
        }
    }

    /// <summary>A sum of several K blocks is added to what is there as one, in full tiles as in the last.</summary>
    [Fact]
    public void SumsAreAddedWithTheSameBitsForAnyThreads()
    {
        ConvShape s = new(new Shape(5, 160, 4, 4), Layout.Blocked, 32, 3, 1, 1);
        float[] Added(int threads)
        {
            using Device device = Device.Cpu(threads, ConvolutionAlgorithm.Direct);
            DeviceBuffer x = Random(device, s.Input.Count, 1), w = Random(device, 160 * 32 * 9, 2), y = Random(device, s.Output.Count, 3);
            DeviceBuffer filters = device.Allocate(device.Kernels.Conv2dFilterLength(s, false));
            device.Kernels.Conv2dArrangeFilters(s, false, w, filters);
            device.Kernels.Conv2dForward(s, new Operand(x, null, null, false), filters, residual: y, y);
            return Values(device, y);
        }
        Assert.Equal(Added(1), Added(2));
        Assert.Equal(Added(1), Added(3));
    }

    /// <summary>Results of 8 MiB and more are stored past the caches: an image among many gets the bits that it gets alone.</summary>
    [Theory]
    [InlineData(64, 3, 32, 32, 3, 1)]
    [InlineData(17, 16, 32, 128, 1, 1)]
    [InlineData(17, 128, 32, 16, 1, 2)]
    [InlineData(17, 128, 32, 16, 3, 2)]
    public void LargeResultsHaveTheBitsOfSmallOnes(int n, int c, int side, int k, int kernel, int stride)
    {
        Window window = new(stride, kernel / 2);
        int outputs = window.Outputs(side, kernel);
        Array4 x = Array4.Uniform(n, c, side, side, seed: 1), w = Array4.Uniform(k, c, kernel, kernel, seed: 2);
        Array4 dy = Array4.Uniform(n, k, outputs, outputs, seed: 3);
        foreach (CpuSetup setup in CpuSetup.All.Select(s => s with { Convolution = ConvolutionAlgorithm.Direct }))
        {
            var all = Run(setup, x, w, dy, window);
            foreach (int[] one in new int[][] { [0], [n / 2], [n - 1] })
            {
                var alone = Run(setup, x.Samples(one), w, dy.Samples(one), window);
                Assert.True(OpGraph.SameBits(alone.Y, all.Y.Samples(one)), $"y, {setup}");
                Assert.True(OpGraph.SameBits(alone.Dx, all.Dx.Samples(one)), $"dx, {setup}");
            }
        }
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(3, 2)]
    public void LargeGradientsPassThroughTheirViewAsSmallOnesDo(int kernel, int stride)
    {
        const int N = 17, Channels = 128, Side = 32, Filters = 16;
        using Device device = Device.Cpu(2, ConvolutionAlgorithm.Direct);
        ConvShape all = new(new Shape(N, Channels, Side, Side), Layout.Blocked, Filters, kernel, stride, kernel / 2);
        var one = all with { Input = all.Input.WithBatch(1) };
        DeviceBuffer x = Random(device, all.Input.Count, 1), dy = Random(device, all.Output.Count, 2),
            w = Random(device, (long)Filters * Channels * kernel * kernel, 3);
        DeviceBuffer scale = Random(device, Channels, 4), shift = Random(device, Channels, 5),
            filters = device.Allocate(device.Kernels.Conv2dFilterLength(all, true));
        DeviceBuffer dx = device.Allocate(all.Input.Count), alone = device.Allocate(one.Input.Count);
        device.Kernels.Conv2dArrangeFilters(all, true, w, filters);
        device.Kernels.Conv2dInputGradient(all, dy, filters, new Operand(x, scale, shift, true), false, dx);
        for (int i = 0; i < N; i += N - 1)
        {
            var from = new Operand(x.View(i * one.Input.Count, one.Input.Count), scale, shift, true);
            device.Kernels.Conv2dInputGradient(one, dy.View(i * one.Output.Count, one.Output.Count), filters, from, false, alone);
            Assert.Equal(Values(device, alone), Values(device, dx.View(i * one.Input.Count, one.Input.Count)));
        }
    }

    private static DeviceBuffer Random(Device device, long count, ulong seed)
    {
        var values = new float[count];
        new RandomKey(seed, Purpose.Synthetic, 0, 0, 0, 0).Stream().FillUniform(values);
        DeviceBuffer buffer = device.Allocate(count);
        device.Upload(values.Select(v => 2 * v - 1).ToArray(), buffer);
        return buffer;
    }

    private static float[] Values(Device device, DeviceBuffer buffer)
    {
        var values = new float[buffer.Length];
        device.Download(buffer, values);
        return values;
    }

    private static (Array4 Y, Array4 Dx, Array4 Dw) Run(CpuSetup setup, Array4 x, Array4 w, Array4 dy, Window window)
    {
        using DeviceRun lane = new(setup, Gradients.Inputs | Gradients.Parameters);
        Tensor input = x.C == 3 ? lane.Image(x) : lane.Activation(x);
        Parameter weight = lane.Filters(w);
        Array4 y = lane.Run(lane.Tape.Conv2d(input, weight, window.Stride, window.Padding), dy);
        return (y, DeviceRun.Gradient(input), DeviceRun.Gradient(weight));
    }

    // The first, the last and one between, in another block where there is one.
    private static int[] Sample(int count) => [.. Enumerable.Range(0, Sampled).Select(i => i * (count - 1) / (Sampled - 1))];
}
