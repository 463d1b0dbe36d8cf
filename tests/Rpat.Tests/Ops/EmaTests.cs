using Rpat.Models;
using Rpat.Tests.Golden;
using Rpat.Tests.Reference;
using Rpat.Tests.Support;

namespace Rpat.Tests.Ops;

public class EmaTests
{
    [Fact]
    public void Parameters_and_statistics_follow_the_reference()
    {
        using var device = Device.Cpu(2);
        PreActResNet source = Net(device, "source"), average = Net(device, "average");
        var expected = Doubles(average);
        foreach (float decay in new[] { 0.999f, 0.5f })
        {
            new Ema(source, average).Update(decay);
            foreach ((string name, double[] values) in Doubles(source)) ReferenceEma.Update(expected[name], values, decay);
        }
        foreach (var array in average.State().Where(IsReal)) LossProbe.AssertNear(expected[array.Name], array.ToFloats(), 3e-7);
    }

    [Fact]
    public void Decay_zero_copies_every_bit_and_the_next_forward_sees_it()
    {
        using var device = Device.Cpu(1);
        PreActResNet source = Net(device, "source"), average = Net(device, "average");
        source.BatchNorms[0].BatchesTracked = 12;
        float[] expected = Logits(source), before = Logits(average);
        new Ema(source, average).Update(0);
        Bits.Equal((Module)source, average);
        Assert.NotEqual(expected, before);
        Bits.Equal(expected, Logits(average));
    }

    [Fact]
    public void Decay_one_keeps_every_weight()
    {
        using var device = Device.Cpu(1);
        PreActResNet source = Net(device, "source"), average = Net(device, "average"), untouched = Net(device, "average");
        Ema ema = new(source, average);
        ema.Update(1);
        Bits.Equal((Module)untouched, average);
        Assert.Same(average, ema.Average);
    }

    private static PreActResNet Net(Device device, string label)
    {
        PreActResNetOptions options = new() { Input = new Shape(1, 2, 8, 8), Classes = 3, Width = 4, BlocksPerStage = 1 };
        PreActResNet net = new(device, options, seed: 1);
        GoldenArrays.Fill(net, label);
        return net;
    }

    private static float[] Logits(PreActResNet net)
    {
        var tape = new Tape(net.Device);
        var x = Tensor.From(net.Device, new Shape(2, 2, 8, 8), Array4.Uniform(2, 2, 8, 8, seed: 3, low: 0).ToFloats());
        Tensor logits = tape.Retain(net.Forward(tape, x, BnMode.Eval));
        tape.Forward();
        return logits.ToArray();
    }

    private static Dictionary<string, double[]> Doubles(Module net) =>
        net.State().Where(IsReal).ToDictionary(a => a.Name, a => Array.ConvertAll(a.ToFloats(), v => (double)v));

    private static bool IsReal(NamedArray array) => array.Type == ElementType.F32;
}
