namespace Rpat.Tests.Nn;

/// <summary>Networks of layers that were made before them.</summary>
public sealed class NetworkTests : IDisposable
{
    private static readonly Shape _input = new(1, 3, 8, 8);

    private readonly Device _device = Device.Cpu(2);

    public void Dispose() => _device.Dispose();

    [Fact]
    public void ANetPrintsItselfAsPyTorchDoes()
    {
        string expected = """
            Network(
              (0): Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), bias=False)
              (1): BatchNorm2d(8, eps=1e-05, momentum=0.1)
              (2): SiLU()
              (3): Residual(
                (body): Sequential(
                  (0): Conv2d(8, 8, kernel_size=(3, 1), stride=(1, 1), padding=(1, 0), groups=2)
                  (1): SqueezeExcite(
                    (fc1): Conv2d(8, 2, kernel_size=(1, 1), stride=(1, 1))
                    (fc2): Conv2d(2, 8, kernel_size=(1, 1), stride=(1, 1))
                  )
                )
              )
              (4): MaxPool2d(kernel_size=2, stride=2, padding=0)
              (5): GroupNorm(2, 8, eps=1e-05)
              (6): Dropout(p=0.25)
              (7): AdaptiveAvgPool2d(output_size=(2, 2))
              (8): Flatten()
              (9): LayerNorm((32,), eps=1e-05)
              (10): Linear(in_features=32, out_features=5, bias=True)
            )
            """;
        Assert.Equal(expected.ReplaceLineEndings("\n"), Net().ToString());
    }

    [Fact]
    public void ANetWithDeclaredLayersPrintsThemToo()
    {
        var options = new Rpat.Models.ResNetOptions { Width = 2, BlocksPerStage = 1, Input = _input, Classes = 4 };
        string text = new Rpat.Models.ResNet(_device, options, 1).ToString();
        Assert.StartsWith("ResNet(\n  (conv1): Conv2d(3, 2, kernel_size=(3, 3), bias=False)\n  (bn1): BatchNorm2d(2, ", text,
            StringComparison.Ordinal);
        Assert.Contains("\n  (layer2): Module(\n    (0): Module(\n      (conv1): Conv2d(2, 4", text, StringComparison.Ordinal);
        Assert.EndsWith("  (linear): Linear(in_features=16, out_features=4, bias=True)\n)", text, StringComparison.Ordinal);
    }

    [Fact]
    public void NamesAndShapesAreThoseOfPyTorch() => Assert.Equal(
    [
        ("0.weight", "8,3,3,3"), ("1.weight", "8"), ("1.bias", "8"), ("3.body.0.weight", "8,4,3,1"), ("3.body.0.bias", "8"),
        ("3.body.1.fc1.weight", "2,8,1,1"), ("3.body.1.fc1.bias", "2"), ("3.body.1.fc2.weight", "8,2,1,1"), ("3.body.1.fc2.bias", "8"),
        ("5.weight", "8"), ("5.bias", "8"), ("9.weight", "32"), ("9.bias", "32"), ("10.weight", "5,32"), ("10.bias", "5"),
        ("1.running_mean", "8"), ("1.running_var", "8"), ("1.num_batches_tracked", ""),
    ], Net().StateShapes().Select(one => (one.Name, string.Join(',', one.Shape))));

    /// <summary>A net with all kinds of layers learns a batch by heart, with Adam, with the same bits on any number of threads.</summary>
    [Fact]
    public void ItLearnsABatch()
    {
        float[] losses = Train(2);
        Assert.True(losses[^1] < 0.2 * losses[0], string.Join(' ', losses));
        Assert.Equal(losses, Train(1));
    }

    /// <summary>Frozen layers keep their values, and nothing before them that needs no gradient is in the backward pass.</summary>
    [Fact]
    public void FrozenParametersTakeNoGradientWork()
    {
        var net = Net();
        foreach (Parameter p in net.Parameters.Parameters) p.IsFrozen = !p.Name.StartsWith("10.", StringComparison.Ordinal);
        var tape = new Tape(_device, Gradients.Parameters);
        Tensor logits = net.Forward(tape, Tensor.Create(_device, _input.WithBatch(2)), BnMode.Eval);
        Assert.True(logits.NeedsGrad);
        Assert.Equal(["Linear"], tape.Nodes.Where(node => node.NeedsGrad).Select(node => node.Op));
    }

    /// <summary>Of a linear layer only the bias, of a batch norm only γ.</summary>
    [Fact]
    public void HalfOfALayerMayBeFrozen()
    {
        var net = new Network(_device, _input, 2, new Sequential(new Conv2d(3, 4, 3), new BatchNorm(4), Activation.Relu,
            Pool.GlobalAverage(), new Linear(4, 2)), seed: 3);
        float[][] all = Gradients_(net);
        foreach (string frozen in new[] { "1.bias", "4.weight" }) net.Parameters.Parameters.Single(p => p.Name == frozen).IsFrozen = true;
        _device.Upload(new float[net.Parameters.Count], net.Parameters.Gradients);
        float[][] some = Gradients_(net);
        foreach (var (p, i) in net.Parameters.Parameters.Select((p, i) => (p, i)))
            Assert.Equal(p.IsFrozen ? new float[p.Shape.Count] : all[i], some[i]);

        float[][] Gradients_(Network of)
        {
            var tape = new Tape(_device, Gradients.Parameters);
            Tensor x = Tensor.From(_device, _input.WithBatch(4), Array4.Uniform(4, 3, 8, 8, seed: 1).ToFloats());
            tape.CrossEntropy(of.Forward(tape, x, BnMode.TrainFrozen), Labels.From(_device, [0, 1, 0, 1]));
            tape.Run();
            return [.. of.Parameters.Parameters.Select(p => p.GradToArray())];
        }
    }

    [Fact]
    public void ALayerBelongsToOneNet()
    {
        var layers = new Sequential(Pool.Flatten(), new Linear(192, 5));
        _ = new Network(_device, _input, 5, layers);
        var error = Assert.Throws<InvalidOperationException>(() => new Network(_device, _input, 5, layers));
        Assert.Contains("belongs to a network already", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ALayerWithoutParametersIsUsedAnywhere()
    {
        var swish = new Activation("Swish()", (tape, x) => tape.Silu(x));
        Network Twice() => new(_device, _input, 5, new Sequential(swish, Pool.Flatten(), swish, new Linear(192, 5), swish), seed: 1);
        Assert.Equal(Twice().ToString(), Twice().ToString());
        Assert.Equal(3, Twice().ToString().Split("Swish()").Length - 1);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(8, 0)]
    public void AConvolutionOfNoSizeIsRefusedWhenItIsMade(int outputs, int stride)
    {
        var error = Assert.Throws<ShapeException>(() => new Conv2d(3, outputs, 3, stride));
        Assert.Equal($"Conv2d: 3 inputs, {outputs} outputs and stride {stride} must be at least 1.", error.Message);
    }

    [Fact]
    public void AnotherNumberOfLogitsIsRefused()
    {
        var error = Assert.Throws<ShapeException>(
            () => new Network(_device, _input, 6, new Sequential(Pool.Flatten(), new Linear(192, 5))));
        Assert.Contains("not rows of 6 logits", error.Message, StringComparison.Ordinal);
    }

    private static float[] Train(int threads)
    {
        using var device = Device.Cpu(threads);
        var net = Net(device);
        var tape = new Tape(device, Gradients.Parameters);
        Tensor x = Tensor.From(device, _input.WithBatch(6), Array4.Uniform(6, 3, 8, 8, seed: 1, low: 0).ToFloats());
        Loss loss = tape.CrossEntropy(net.Forward(tape, x, BnMode.Train), Labels.From(device, [0, 1, 2, 3, 4, 0]));
        var adam = new Adam(net.Parameters, weightDecay: 0.01f, decoupled: true);
        var losses = new float[30];
        for (int step = 0; step < losses.Length; step++)
        {
            net.Dropout.Step = step;
            tape.Run();
            losses[step] = (float)loss.Read();
            adam.Step(0.02f);
        }
        return losses;
    }

    private Network Net() => Net(_device);

    private static Network Net(Device device) => new(device, _input, 5, new Sequential(
        new Conv2d(3, 8, 3, padding: 1, bias: false), new BatchNorm(8), Activation.Silu,
        new Residual(new Sequential(
            new Conv2d(8, 8, (3, 1), new() { Padding = (1, 0), Groups = 2 }), new SqueezeExcite(8, 2))),
        Pool.Max2d(2), new GroupNorm(2, 8), new Dropout(0.25), Pool.AdaptiveAverage2d(2, 2), Pool.Flatten(), new LayerNorm(32),
        new Linear(32, 5)), seed: 1);
}
