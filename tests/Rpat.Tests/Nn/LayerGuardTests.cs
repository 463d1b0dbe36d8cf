namespace Rpat.Tests.Nn;

/// <summary>Layers that cannot be are refused where they are made; those of activations take rows and images as well.</summary>
public sealed class LayerGuardTests : IDisposable
{
    private static readonly Dictionary<string, Func<Layer>> _wrong = new()
    {
        ["no outputs"] = () => new Conv2d(1, 0, 3),
        ["no kernel"] = () => new Conv2d(1, 1, 0),
        ["no stride"] = () => new Conv2d(1, 1, 3, stride: 0),
        ["padding below 0"] = () => new Conv2d(1, 1, 3, padding: -1),
        ["no dilation"] = () => new Conv2d(1, 1, 3, dilation: 0),
        ["groups that do not divide"] = () => new Conv2d(3, 4, 3, groups: 2),
        ["no columns"] = () => new Linear(0, 5),
        ["no rows"] = () => new Linear(5, -1),
        ["no channels"] = () => new BatchNorm(0),
        ["three groups of eight"] = () => new GroupNorm(3, 8),
        ["no groups"] = () => new GroupNorm(0, 8),
        ["a norm of nothing"] = () => new LayerNorm(0),
        ["all dropped"] = () => new Dropout(1),
        ["less than none dropped"] = () => new Dropout(-0.1),
        ["a rate that is no number"] = () => new Dropout(double.NaN),
        ["no squeezed channel"] = () => new SqueezeExcite(8, 0),
        ["no window"] = () => Pool.Max2d(0),
        ["padding over half a window"] = () => Pool.Max2d(2, padding: 2),
        ["no window of a mean"] = () => Pool.AdaptiveAverage2d(0, 1),
        ["a stride below 0"] = () => Pool.Average2d(2, stride: -1),
    };

    private readonly Device _device = Device.Cpu(1);

    public static TheoryData<string> Wrong => [.. _wrong.Keys];

    public void Dispose() => _device.Dispose();

    [Theory]
    [MemberData(nameof(Wrong))]
    public void ALayerThatCannotBeIsRefused(string what) => Assert.Throws<ShapeException>(() => _wrong[what]());

    [Fact]
    public void LayersThatDoNotFitAreRefusedWhenTheNetworkIsMade()
    {
        foreach (var layers in new Layer[] { new Sequential(Pool.Flatten(), new Linear(60, 2)), new Sequential() })
            Assert.Throws<ShapeException>(() => new Network(_device, new Shape(1, 1, 8, 8), 2, layers));
        Assert.Equal(2, new Network(_device, new Shape(1, 1, 8, 8), 2, new Sequential(Pool.Flatten(), new Linear(64, 2))).Classes);
    }

    [Fact]
    public void ALayerThatBelongsToNoNetworkSaysSo()
    {
        Tensor rows = Tensor.From(_device, new Shape(2, 4), new float[8]), map = Tensor.From(_device, new Shape(2, 4, 2, 2), new float[32]);
        foreach (var (layer, x) in new (Layer, Tensor)[] { (new LayerNorm(4), rows), (new GroupNorm(2, 4), map), (new Dropout(), rows),
            (new Linear(4, 2), rows), (new Conv2d(4, 2, 1), map), (new BatchNorm(4), map) })
            Assert.Contains("has no parameters yet: whatever it is in declares it in a network", Assert.Throws<InvalidOperationException>(
                () => layer.Record(new Tape(_device, Gradients.Inputs), x, BnMode.Train)).Message);
    }

    [Fact]
    public void ABatchNormsNumbersAreChecked()
    {
        foreach (float epsilon in new[] { 0, -1, float.NaN })
            Assert.Throws<ArgumentOutOfRangeException>(() => new BatchNorm(4, epsilon));
        Assert.Throws<ArgumentOutOfRangeException>(() => new BatchNorm(4, momentum: 2));
        Assert.Contains("epsilon is a finite number above 0",
            Assert.Throws<ArgumentOutOfRangeException>(() => new BatchNorm(4, -1)).Message);
    }

    [Fact]
    public void TheNumbersOfFunctionsAndPixelsAreChecked()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Activation.LeakyRelu(double.NaN));
        Assert.Throws<ArgumentOutOfRangeException>(() => Activation.Softplus(0));
        var levels = Assert.Throws<ShapeException>(
            () => new Network(_device, new Shape(1, 1, 8, 8), 2, Pool.Flatten(), 0, ([127f], [50f])));
        Assert.Contains("divide by 255", levels.Message);
        Assert.StartsWith("SqueezeExcite: reduced 0", Assert.Throws<ShapeException>(() => new SqueezeExcite(4, 4 / 16)).Message);
    }

    [Fact]
    public void NothingIsNoPartOfANetwork()
    {
        Assert.Throws<ArgumentNullException>(() => new Sequential(Pool.Flatten(), null!));
        Assert.Throws<ArgumentNullException>(() => new Network(_device, new Shape(1, 1, 8, 8), 2, null!));
        Assert.Throws<ArgumentNullException>(() => new Sgd(null!));
        Assert.Throws<ArgumentNullException>(() => new Predictor(null!));
    }

    [Fact]
    public void AStateHasEachNameOnce()
    {
        var net = new Network(_device, new Shape(1, 1, 1, 2), 2, new Sequential(Pool.Flatten(), new Linear(2, 2)));
        Assert.Contains("Two arrays are called '1.weight'",
            Assert.Throws<CheckpointException>(() => net.Load([.. net.State(), .. net.State()])).Message);
    }

    [Theory]
    [InlineData(0, 8, 2)]
    [InlineData(1, -8, 2)]
    [InlineData(1, 8, 0)]
    public void ANetworkHasImagesAndClasses(int channels, int side, int classes) => Assert.Throws<ShapeException>(
        () => new Network(_device, new Shape(1, channels, side, side), classes, new Sequential(Pool.Flatten(), new Linear(64, 2))));

    [Fact]
    public void BatchNormTakesRowsAsPyTorchsBatchNorm1dDoes()
    {
        var net = new Network(_device, new Shape(1, 1, 1, 2), 2, new Sequential(Pool.Flatten(), new BatchNorm(2)));
        var tape = new Tape(_device);
        Tensor x = Tensor.From(_device, new Shape(4, 1, 1, 2), [0, 0.1f, 0.2f, 0.5f, 0.4f, 0.2f, 0.6f, 0.4f]);
        Tensor y = tape.Retain(net.Forward(tape, x, BnMode.Train));
        tape.Forward();
        double unit = Math.Sqrt(0.05 + 1e-5); // of the first column: 0, 0.2, 0.4, 0.6
        Assert.Equal([-0.3 / unit, -0.1 / unit, 0.1 / unit, 0.3 / unit], y.ToArray().Where((_, i) => i % 2 == 0).Select(v => (double)v),
            (a, b) => Math.Abs(a - b) < 1e-5);
    }

    [Fact]
    public void LayersOfActivationsTakeImages()
    {
        var net = new Network(_device, new Shape(1, 2, 4, 4), 2, new Sequential(Pool.Max2d(2), new BatchNorm(2), Activation.Relu,
            Pool.GlobalAverage()));
        var plain = new Network(_device, new Shape(1, 2, 4, 4), 2, new Sequential(Pool.GlobalAverage()));
        Assert.Equal([0, 0], net.Predict(new float[64]));
        Assert.Equal([1], plain.Predict([.. Enumerable.Range(0, 32).Select(i => i / 32f)]));
    }
}
