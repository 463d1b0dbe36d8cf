using Rpat.Models;
using Rpat.Robust.Methods;
using Rpat.Tests.Gpu;
using Rpat.Tests.Ops;
using Rpat.Tests.Reference;
using Rpat.Tests.Robust;

namespace Rpat.Tests.Trainer.Training;

/// <summary>Images that a GPU makes of bytes that lie there train as those of the host do.</summary>
public class BatchLoaderTests(GpuFixture fixture) : IClassFixture<GpuFixture>
{
    private const int Count = 5, Batch = 3, Seed = 7;

    private static readonly AugmentOptions _augment = new(2, true) { Cutout = 3 };

    [Fact]
    public void Weights_are_the_same_bit_for_bit_and_near_the_CPUs()
    {
        using var cpu = Device.Cpu(1, ConvolutionAlgorithm.Direct);
        var (there, uploaded, made) = (Train(cpu, false), Train(fixture.Device(), false), Train(fixture.Device(), true));
        foreach (var (a, b, c) in there.Zip(uploaded, made))
        {
            Assert.Equal(b.ToFloats(), c.ToFloats());
            if (!a.Name.EndsWith("num_batches_tracked", StringComparison.Ordinal))
                OpGraph.AssertClose(Array(a), Array(c), new Tolerance(1e-3, 1e-7), a.Name);
        }
    }

    [Fact]
    public void Only_plain_batches_of_bytes_are_made_on_a_device_that_is_no_CPU()
    {
        using var cpu = Device.Cpu(1);
        var (gpu, options) = (fixture.Device(), new BatchOptions(Batch, _augment));
        var floats = new LabeledImages("floats", 1, 1, 1, [128], [0], ["a"], [0.5f]);
        Assert.True(DeviceImages.Suits(gpu, Set(), options));
        Assert.False(DeviceImages.Suits(cpu, Set(), options));
        Assert.False(DeviceImages.Suits(gpu, floats, options));
        Assert.False(DeviceImages.Suits(gpu, Set(), options with { TwoViews = true }));
        Assert.False(DeviceImages.Suits(gpu, Set(), options with { CutMix = 0.5 }));
    }

    /// <summary>An epoch of two batches, the last of them short.</summary>
    private static NamedArray[] Train(Device device, bool onDevice)
    {
        PreActResNet net = TestNets.Small(device, width: 4);
        var step = new TrainingStep(net, new Clean(), new Sgd(net.Parameters, 0.9f, 5e-4f), seed: Seed);
        var batches = new BatchStream(Set(), new BatchOptions(Batch, _augment) { OnDemand = onDevice }, Seed);
        var input = new BatchLoader(step, onDevice ? new DeviceImages(new ResidentImages(device, Set()), _augment, Seed) : null);
        foreach (var batch in batches.Epoch(1)) input.Run(batch, new StepContext(1, Rate: 0.1f, TopRate: 0.1f));
        return [.. net.State()];
    }

    private static LabeledImages Set()
    {
        byte[] pixels = new byte[Count * TestNets.Image.SampleCount];
        new Random(3).NextBytes(pixels);
        return new LabeledImages("bytes", TestNets.Image.C, TestNets.Image.H, TestNets.Image.W, pixels, TestNets.ClassesOf(Count),
            ["a", "b", "c", "d", "e"]);
    }

    private static Array4 Array(NamedArray a)
    {
        float[] values = a.ToFloats();
        return Array4.FromFloats(1, values.Length, 1, 1, values);
    }
}
