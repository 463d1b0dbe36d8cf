using Rpat.Tests.Robust;

namespace Rpat.Tests.Nn;

public class PredictorTests
{
    [Fact]
    public void Logits_are_the_networks_whatever_the_batch()
    {
        using var device = Device.Cpu(2);
        var net = TestNets.Disturbed(device);
        float[] images = TestNets.Images(5, seed: 2);
        var tape = new Tape(device);
        Tensor logits = tape.Retain(net.Forward(tape, Tensor.From(device, TestNets.Image.WithBatch(5), images), BnMode.Eval));
        tape.Forward();
        float[] rows = logits.ToArray();
        using Predictor one = new(net, batch: 1), two = new(net, batch: 2), all = new(net);
        foreach (var predictor in new[] { one, two, all }) Assert.Equal(rows, predictor.Logits(images));
        Assert.Equal(rows[..10], all.Logits(images.AsSpan(0, 2 * TestNets.Image.SampleCount)));
        Assert.Equal(rows.Chunk(5).Select(row => Array.IndexOf(row, row.Max())), net.Predict(images));
        Assert.Empty(net.Predict([]));
        Assert.Contains("not a whole number of images", Assert.Throws<ShapeException>(() => net.Predict(new float[7])).Message);
    }

    [Fact]
    public void A_network_takes_anothers_state_and_forgets_its_own()
    {
        using var device = Device.Cpu(1);
        var (net, other) = (TestNets.Small(device), TestNets.Disturbed(device));
        net.Load(other.State());
        float[] images = TestNets.Images(2, seed: 3);
        using Predictor a = new(net), b = new(other);
        Assert.Equal(b.Logits(images), a.Logits(images));
    }
}
