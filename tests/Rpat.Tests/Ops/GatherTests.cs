using Rpat.Engine;
using Rpat.Tests.Reference;

namespace Rpat.Tests.Ops;

/// <summary>Copies of samples by number.</summary>
public class GatherTests
{
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(3, 5, 7)]
    [InlineData(4, 2, 2)]
    public void SamplesMoveAndComeBack(int c, int h, int w)
    {
        using var device = Device.Cpu(2);
        Check(device, c, h, w);
    }

    [Fact]
    public void MisfitsAreRefused()
    {
        using var device = Device.Cpu(1);
        Tensor two = Tensor.Create(device, new Shape(2, 3, 4, 4)), other = Tensor.Create(device, new Shape(5, 3, 4, 5));
        OpErrors.Names("Gather", () => two.CopySamples(two, [0]), "does not hold 1 samples");
        OpErrors.Names("Gather", () => two.CopySamples(other, [0, 1]), "[5, 3, 4, 5]");
        OpErrors.Names("Gather", () => two.CopySamples(two, [0, 2]), "no sample 2");
        OpErrors.Names("Gather", () => two.ReplaceSamples(two, [-1]), "no sample -1");
    }

    /// <summary>A batch shrinks to three of its samples, and two others replace theirs.</summary>
    internal static void Check(Device device, int c, int h, int w)
    {
        var shape = new Shape(6, c, h, w);
        float[] values = Array4.Uniform(6, c, h, w, seed: 1).ToFloats(), others = Array4.Uniform(6, c, h, w, seed: 2).ToFloats();
        Tensor source = Tensor.From(device, shape, values), other = Tensor.From(device, shape, others);
        Tensor fewer = Tensor.Create(device, shape.WithBatch(3));
        fewer.CopySamples(source, [4, 0, 4]);
        Assert.Equal([.. Part(values, 4), .. Part(values, 0), .. Part(values, 4)], fewer.ToArray());
        source.ReplaceSamples(other, [5, 1]);
        Assert.Equal([.. Part(values, 0), .. Part(others, 1), .. Part(values, 2), .. Part(values, 3), .. Part(values, 4), .. Part(others, 5)], source.ToArray());
        float[] Part(float[] all, int i) => all[(i * shape.SampleCount)..((i + 1) * shape.SampleCount)];
    }
}
