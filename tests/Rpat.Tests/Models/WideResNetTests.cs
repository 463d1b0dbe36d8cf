using Rpat.Models;
using Rpat.Tests.Reference;
using Rpat.Tests.Support;

namespace Rpat.Tests.Models;

public class WideResNetTests
{
    private static readonly WideResNetOptions _narrow = new() { Input = new Shape(1, 3, 12, 8), Classes = 5, Depth = 10, Width = 1 };

    [Theory]
    [InlineData(34, 10, 46_160_474)]
    [InlineData(34, 100, 46_218_164)]
    [InlineData(28, 10, 36_479_194)]
    public void Published_sizes(int depth, int classes, long parameters)
    {
        using var device = Device.Cpu(1);
        WideResNet net = new(device, new WideResNetOptions { Depth = depth, Classes = classes }, seed: 1);
        Assert.Equal(parameters, net.Parameters.Count);
    }

    [Fact]
    public void Names_are_those_of_public_checkpoints()
    {
        using var device = Device.Cpu(1);
        string[] names = [.. new WideResNet(device, _narrow with { Depth = 16, Width = 2 }, 1).State().Select(a => a.Name)];
        string[] some =
        [
            "conv1.weight", "block1.layer.0.bn1.weight", "block1.layer.0.convShortcut.weight", "block1.layer.1.conv2.weight",
            "block2.layer.0.bn2.running_var", "block3.layer.1.bn1.num_batches_tracked", "bn1.running_mean", "fc.weight", "fc.bias",
        ];
        Assert.All(some, name => Assert.Contains(name, names));
        Assert.DoesNotContain("block1.layer.1.convShortcut.weight", names);
        Assert.Equal(names.Length, names.Distinct().Count());
    }

    [Fact]
    public void A_group_of_equal_width_has_no_shortcut_convolution()
    {
        using var device = Device.Cpu(1);
        // Width 1: the first group keeps the stem's 16 channels.
        Assert.DoesNotContain("block1.layer.0.convShortcut.weight", new WideResNet(device, _narrow, 1).State().Select(a => a.Name));
    }

    [Fact]
    public void First_weights_follow_Hes_rule_by_fan_out()
    {
        using var device = Device.Cpu(1);
        WideResNet net = new(device, _narrow with { Width = 4 }, 2);
        var p = net.Parameters.Parameters.Single(q => q.Name == "block3.layer.0.conv2.weight");
        double variance = p.ToArray().Average(v => (double)v * v), expected = 2.0 / (9 * p.Dimensions[0]);
        Assert.InRange(variance / expected, 0.98, 1.02);
        Assert.All(net.Parameters.Parameters.Single(q => q.Name == "fc.bias").ToArray(), v => Assert.Equal(0f, v));
    }

    [Theory]
    [InlineData(33)]
    [InlineData(4)]
    [InlineData(0)]
    public void A_depth_that_is_not_6n_plus_4_is_refused(int depth)
    {
        using var device = Device.Cpu(1);
        Assert.Contains($"depth {depth} must be 6n + 4",
            Assert.Throws<ArgumentException>(() => new WideResNet(device, _narrow with { Depth = depth }, 1)).Message);
    }

    /// <summary>Numerical derivatives in float32 of the loss along each parameter's own gradient:
    /// no reference of this net exists.</summary>
    [Theory]
    [InlineData(ConvolutionAlgorithm.Auto)]
    [InlineData(ConvolutionAlgorithm.Direct)]
    public void The_loss_changes_along_each_gradient_as_the_gradient_says(ConvolutionAlgorithm algorithm)
    {
        using var device = Device.Cpu(2, algorithm);
        WideResNet net = new(device, _narrow, 3);
        ModelState.Disturb(net, seed: 4);
        Tensor x = Tensor.From(device, new Shape(4, 3, 12, 8), Array4.Uniform(4, 3, 12, 8, seed: 5, low: 0).ToFloats());
        var tape = new Tape(device, Gradients.Parameters);
        Loss loss = tape.CrossEntropy(net.Forward(tape, x, BnMode.TrainFrozen), Labels.From(device, [0, 4, 2, 1]));
        tape.Run();
        foreach (var p in net.Parameters.Parameters)
        {
            float[] values = p.ToArray(), gradient = p.GradToArray();
            double norm = Math.Sqrt(gradient.Sum(g => (double)g * g)), step = 5e-4;
            double At(double t)
            {
                p.Upload([.. values.Select((v, i) => (float)(v + t * gradient[i] / norm))]);
                net.Parameters.BumpVersion();
                tape.Forward();
                return loss.Read();
            }

            double slope = (At(step) - At(-step)) / (2 * step);
            At(0);
            Assert.True(Math.Abs(slope - norm) <= 0.02 * norm + 3e-4, $"{p.Name}: slope {slope} instead of {norm}");
        }
    }

    [Fact]
    public void A_saved_state_comes_back_bit_by_bit()
    {
        using var device = Device.Cpu(1);
        WideResNet saved = new(device, _narrow, 1), loaded = new(device, _narrow, 2);
        ModelState.Disturb(saved, seed: 9);
        ModelState.AssertRoundTrip(saved, loaded);
        float[] images = Array4.Uniform(2, 3, 12, 8, seed: 10, low: 0).ToFloats();
        Bits.Equal(ModelState.Logits(saved, images, 2), ModelState.Logits(loaded, images, 2));
    }

    [Fact]
    public void A_state_that_does_not_fit_is_refused_by_name()
    {
        using var device = Device.Cpu(1);
        ModelState.AssertMisfitIsRefused(new WideResNet(device, _narrow, 1), "block3.layer.0.convShortcut.weight", "fc.weight");
    }
}
