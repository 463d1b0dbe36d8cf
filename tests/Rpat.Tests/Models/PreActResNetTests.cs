using Rpat.Models;
using Rpat.Tests.Golden;
using Rpat.Tests.Ops;
using Rpat.Tests.Reference;
using Rpat.Tests.Support;

namespace Rpat.Tests.Models;

public class PreActResNetTests
{
    private static readonly PreActResNetOptions _narrow =
        new() { Input = new Shape(1, 3, 9, 8), Classes = 4, Width = 3, BlocksPerStage = 1 };

    public static TheoryData<ConvolutionAlgorithm> Algorithms => [ConvolutionAlgorithm.Auto, ConvolutionAlgorithm.Direct];

    [Theory]
    [InlineData(10, 11_172_170)]
    [InlineData(100, 11_218_340)]
    public void The_defaults_are_PreActResNet_18(int classes, long parameters)
    {
        using var device = Device.Cpu(1);
        PreActResNet net = new(device, new PreActResNetOptions { Classes = classes }, seed: 1);
        Assert.Equal(parameters, net.Parameters.Count);
        Assert.Equal(Names(new PreActResNetShape(64, 2, classes)), net.State().Select(a => a.Name).Order(StringComparer.Ordinal));
        Assert.Equal(new Shape(1, 3, 32, 32), net.InputShape);
    }

    [Theory]
    [InlineData(3, 1, 4)]
    [InlineData(8, 2, 10)]
    [InlineData(5, 3, 2)]
    public void Names_and_shapes_are_those_of_public_checkpoints(int width, int blocks, int classes)
    {
        using var device = Device.Cpu(1);
        PreActResNet net = new(device, new PreActResNetOptions { Width = width, BlocksPerStage = blocks, Classes = classes }, 1);
        var expected = new PreActResNetShape(width, blocks, classes).Parameters();
        Assert.Equal(expected.Select(p => p.Name), net.Parameters.Parameters.Select(p => p.Name));
        Assert.Equal(expected.Select(p => p.Shape), net.Parameters.Parameters.Select(p => p.Dimensions));
    }

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void Logits_and_input_gradient_of_w8_are_PyTorchs(ConvolutionAlgorithm algorithm) =>
        AssertGolden("w8", new PreActResNetOptions { Input = new Shape(1, 3, 16, 16), Width = 8 }, algorithm);

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void Logits_and_input_gradient_of_the_quick_net_are_PyTorchs(ConvolutionAlgorithm algorithm) =>
        AssertGolden("quick", new PreActResNetOptions { Input = new Shape(1, 1, 28, 28), Width = 16, BlocksPerStage = 1 }, algorithm);

    [Theory]
    [InlineData(BnMode.Train, 3, 9, 8)]
    [InlineData(BnMode.TrainFrozen, 5, 9, 8)]
    [InlineData(BnMode.Eval, 3, 9, 8)]
    [InlineData(BnMode.Train, 18, 16, 12)]
    public void Logits_gradients_and_statistics_follow_the_reference(BnMode mode, int width, int height, int columns)
    {
        foreach (var algorithm in new[] { ConvolutionAlgorithm.Auto, ConvolutionAlgorithm.Direct })
        {
            using var device = Device.Cpu(2, algorithm);
            PreActResNet net = new(device, _narrow with { Input = new Shape(1, 3, height, columns), Width = width }, seed: 5);
            ModelState.Disturb(net, seed: 6);
            AssertReference(net, mode, Array4.Uniform(3, 3, height, columns, seed: 7, low: 0));
        }
    }

    [Fact]
    public void A_normalisation_is_the_nets_first_layer()
    {
        using var device = Device.Cpu(1);
        float[] mean = [0.5f, 0.4f, 0.3f], std = [0.2f, 0.25f, 0.3f];
        PreActResNet plain = new(device, _narrow, 3), normalised = new(device, _narrow with { Normalization = (mean, std) }, 3);
        Array4 x = Array4.Uniform(2, 3, 9, 8, seed: 8, low: 0);
        Array4 seen = ReferenceElementwise.Normalise(x, [0.5f, 0.4f, 0.3f], [0.2f, 0.25f, 0.3f]);
        float[] expected = ModelState.Logits(plain, seen.ToFloats(), 2);
        LossProbe.AssertNear(Array.ConvertAll(expected, v => (double)v), ModelState.Logits(normalised, x.ToFloats(), 2), 2e-6);
        Assert.Equal(plain.State().Select(a => a.Name), normalised.State().Select(a => a.Name));
    }

    [Fact]
    public void The_seed_decides_the_first_weights()
    {
        using var device = Device.Cpu(1);
        Bits.Equal(new PreActResNet(device, _narrow, 3), new PreActResNet(device, _narrow, 3));
        Assert.True(Bits.Differ(new PreActResNet(device, _narrow, 3), new PreActResNet(device, _narrow, 4)));
    }

    [Fact]
    public void First_weights_fill_PyTorchs_range()
    {
        using var device = Device.Cpu(1);
        PreActResNet net = new(device, _narrow with { Width = 16 }, 3);
        foreach (var p in net.Parameters.Parameters.Where(p => p.Dimensions.Count > 1))
        {
            double bound = 1 / Math.Sqrt((double)p.Shape.Count / p.Dimensions[0]), reached = p.ToArray().Max(Math.Abs);
            Assert.InRange(reached, 0.9 * bound, bound * (1 + 1e-6));
        }
        Assert.All(net.BatchNorms, n => Assert.All(n.Weight.ToArray().Concat(n.RunningVar.ToArray()), v => Assert.Equal(1f, v)));
        Assert.All(net.BatchNorms, n => Assert.All(n.Bias.ToArray().Concat(n.RunningMean.ToArray()), v => Assert.Equal(0f, v)));
    }

    [Fact]
    public void A_saved_state_comes_back_bit_by_bit()
    {
        using var device = Device.Cpu(1);
        PreActResNet saved = new(device, _narrow, 1), loaded = new(device, _narrow, 2);
        ModelState.Disturb(saved, seed: 9);
        float[] images = Array4.Uniform(2, 3, 9, 8, seed: 10, low: 0).ToFloats();
        ModelState.Logits(loaded, images, 2); // packs the old weights: they must not be used again
        ModelState.AssertRoundTrip(saved, loaded);
        Bits.Equal(ModelState.Logits(saved, images, 2), ModelState.Logits(loaded, images, 2));
    }

    [Fact]
    public void A_state_that_does_not_fit_is_refused_by_name()
    {
        using var device = Device.Cpu(1);
        ModelState.AssertMisfitIsRefused(new PreActResNet(device, _narrow, 1), "layer2.0.shortcut.0.weight", "bn.running_var");
    }

    [Fact]
    public void Many_misfits_are_counted_and_the_first_named()
    {
        using var device = Device.Cpu(1);
        PreActResNet net = new(device, _narrow, 1);
        string message = Assert.Throws<CheckpointException>(() => net.Load(new Dictionary<string, NamedArray>())).Message;
        Assert.Contains($"{net.State().Count()} missing: conv1.weight", message);
        Assert.Contains("and ", message);
        Assert.True(message.Length < 400, message);
    }

    [Fact]
    public void Images_of_another_size_are_refused_by_name()
    {
        using var device = Device.Cpu(1);
        PreActResNet net = new(device, _narrow, 1);
        var error = Assert.Throws<ShapeException>(() =>
            net.Forward(new Tape(device), Tensor.Create(device, new Shape(2, 3, 8, 8)), BnMode.Eval));
        Assert.Equal("PreActResNet: input [2, 3, 8, 8] is not a batch of [1, 3, 9, 8].", error.Message);
    }

    private static void AssertGolden(string label, PreActResNetOptions options, ConvolutionAlgorithm algorithm)
    {
        GoldenArrays golden = GoldenArrays.Eval;
        using var device = Device.Cpu(2, algorithm);
        PreActResNet net = new(device, options, 1);
        Assert.Equal([net.Parameters.Count], golden.Integers($"{label}/parameters").Select(n => (long)n));
        GoldenArrays.Fill(net, label);
        int[] labels = golden.Integers($"{label}/labels");
        Tensor x = Tensor.From(device, net.InputShape.WithBatch(labels.Length), golden.Floats($"{label}/images"), needsGrad: true);
        var tape = new Tape(device, Gradients.Inputs);
        Tensor logits = tape.Retain(net.Forward(tape, x, BnMode.Eval));
        tape.CrossEntropy(logits, Labels.From(device, labels));
        tape.Run();
        LossProbe.AssertNear(golden.Doubles($"{label}/logits"), logits.ToArray(), 5e-6);
        LossProbe.AssertNear(golden.Doubles($"{label}/input_gradient"), x.GradToArray(), 1e-5);
    }

    private static void AssertReference(PreActResNet net, BnMode mode, Array4 x)
    {
        var state = Real(net).ToDictionary(a => a.Name, a => Array.ConvertAll(a.ToFloats(), v => (double)v));
        PreActResNetOptions o = net.Options;
        ReferencePreActResNet reference = new(new PreActResNetShape(o.Width, o.BlocksPerStage, o.Classes, 3), state);
        var pass = reference.Forward(x, Enum.Parse<NormMode>($"{mode}"));
        int[] labels = [0, 3, 1];
        NetworkGradient expected = pass.Backward(ReferenceCrossEntropy.MeanGradient(pass.Logits, labels));

        long[] tracked = [.. net.BatchNorms.Select(n => n.BatchesTracked)];
        Tensor images = Tensor.From(net.Device, new Shape(x.N, x.C, x.H, x.W), x.ToFloats(), needsGrad: true);
        var tape = new Tape(net.Device, Gradients.Inputs | Gradients.Parameters);
        Tensor logits = tape.Retain(net.Forward(tape, images, mode));
        tape.CrossEntropy(logits, Labels.From(net.Device, labels));
        tape.Run();

        LossProbe.AssertNear(pass.Logits.Data, logits.ToArray(), 1e-5);
        LossProbe.AssertNear(expected.Input.Data, images.GradToArray(), 2e-5);
        foreach (var p in net.Parameters.Parameters) LossProbe.AssertNear(expected.Parameters[p.Name], p.GradToArray(), 2e-5);
        foreach (var a in Real(net)) LossProbe.AssertNear(state[a.Name], a.ToFloats(), 2e-6);
        Assert.Equal(tracked.Select(t => mode == BnMode.Train ? t + 1 : t), net.BatchNorms.Select(n => n.BatchesTracked));
    }

    private static IEnumerable<NamedArray> Real(PreActResNet net) => net.State().Where(a => a.Type == ElementType.F32);

    private static IEnumerable<string> Names(PreActResNetShape shape)
    {
        var buffers = shape.Buffers().Select(b => b.Name).ToArray();
        var counts = from name in buffers
                     where name.EndsWith("running_mean", StringComparison.Ordinal)
                     select name.Replace("running_mean", "num_batches_tracked");
        return shape.Parameters().Select(p => p.Name).Concat(buffers).Concat(counts).Order(StringComparer.Ordinal);
    }
}
