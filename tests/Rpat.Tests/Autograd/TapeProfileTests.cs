using Rpat.Models;

namespace Rpat.Tests.Autograd;

public sealed class TapeProfileTests
{
    [Fact]
    public void EveryNodeIsCountedOnceARunUntilDisposed()
    {
        using var device = Device.Cpu(1);
        var net = new PreActResNet(device, new PreActResNetOptions { Width = 4, BlocksPerStage = 1 }, seed: 1);
        var tape = new Tape(device);
        tape.Retain(net.Forward(tape, Tensor.Create(device, net.InputShape.WithBatch(2)), BnMode.Eval));
        tape.Forward();
        var profile = new TapeProfile(tape);
        tape.Forward();
        tape.Forward();
        profile.Dispose();
        tape.Forward();
        Assert.Equal(2 * tape.Nodes.Count, profile.Rows.Sum(row => row.Time.Calls));
        Assert.All(profile.Rows, row => Assert.True(row.Time.Seconds > 0 && !row.Key.Backward));
        Assert.Contains(profile.Rows,
            row => row.Key is { Op: "Conv2d", Detail: "first 3x3 direct", Sizes: "[2, 3, 32, 32] → [2, 4, 32, 32]" });
    }
}
