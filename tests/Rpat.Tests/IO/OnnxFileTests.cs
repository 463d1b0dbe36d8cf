using Rpat.Models;
using Rpat.Trainer.Evaluation;

namespace Rpat.Tests.IO;

/// <summary>What can be said of ONNX files without a reader; Golden/check_interchange.py compares
/// their logits with other programs'.</summary>
public class OnnxFileTests
{
    [Theory]
    [InlineData("preactresnet18", 4)]
    [InlineData("preactresnet18-benchmarks", 4)]
    [InlineData("resnet18", 4)]
    [InlineData("resnet18-bottleneck", 2)]
    [InlineData("wideresnet10-1", 1)]
    [InlineData("dm-wideresnet10-1", 1)]
    [InlineData("dm-preactresnet18", 4)]
    [InlineData("vgg16", 3)]
    [InlineData("mobilenetv2", 4)]
    public void Every_weight_and_statistic_is_in_the_file_once(string model, int width)
    {
        using TempFolder folder = new();
        using var device = Device.Cpu(1);
        var spec = new ModelSpec(model, new Shape(1, 3, 32, 32), 10)
        { Width = width, Normalization = ([0.5f, 0.5f, 0.5f], [0.25f, 0.25f, 0.25f]) };
        FeatureClassifier net = ModelCatalog.Build(device, spec, seed: 1);
        OnnxFile.Write(folder.File("net.onnx"), net, new Dictionary<string, string> { ["recipe"] = "none" });
        byte[] bytes = File.ReadAllBytes(folder.File("net.onnx"));
        // As an initializer a name follows field 8's tag and its length.
        foreach (NamedArray array in net.State().Where(a => a.Type == ElementType.F32))
            Assert.Equal(1, Occurrences(bytes, [0x42, (byte)array.Name.Length, .. Encoding.ASCII.GetBytes(array.Name)]));
        Assert.All(["images", "logits", "recipe", "normalize.scale", "Gemm", "rpat.native"],
            text => Assert.NotEqual(0, Occurrences(bytes, Encoding.ASCII.GetBytes(text))));
        OnnxFile.Write(folder.File("again.onnx"), net, new Dictionary<string, string> { ["recipe"] = "none" });
        Assert.Equal(bytes, File.ReadAllBytes(folder.File("again.onnx")));
    }

    /// <summary>Networks with SiLU and padding behind the map, in the other program that runs such files.</summary>
    [Theory]
    [InlineData("dm-wideresnet10-1", "")]
    [InlineData("dm-preactresnet18", "8,1x8,1x16,1x16,1x16")]
    [InlineData("wideresnet-a4", "16,1x16,1x32,1x16")]
    public void Logits_in_ONNX_Runtime_are_the_networks(string model, string stages)
    {
        using TempFolder folder = new();
        using var device = Device.Cpu(1);
        FeatureClassifier net = ModelCatalog.Build(device, new ModelSpec(model, new Shape(1, 3, 32, 32), 10) { Stages = stages }, seed: 1);
        OnnxFile.Write(folder.File("net.onnx"), net);
        float[] images = [.. Enumerable.Range(0, 2 * 3 * 1024).Select(i => i * 37 % 256 / 255f)];
        using var predictor = new Predictor(net);
        using var other = OnnxModel.Open(folder.File("net.onnx"), threads: 1, net.InputShape);
        foreach (var (expected, actual) in predictor.Logits(images).Zip(other.Ask(images))) Assert.Equal(expected, actual, 1e-5f);
    }

    /// <summary>A map of one pixel has the size of a row, but is none; what is last need not be a linear layer.</summary>
    [Theory]
    [InlineData(8, true)]
    [InlineData(8, false)]
    [InlineData(1, true)]
    public void Layers_with_functions_and_products_are_the_same_there(int size, bool isLinearLast)
    {
        using TempFolder folder = new();
        using var device = Device.Cpu(1);
        Layer[] last = isLinearLast ? [new Linear(8, 8)] : [];
        var net = new Network(device, new Shape(1, 3, size, size), 8, new Sequential([new Conv2d(3, 8, size == 1 ? 1 : 3), Activation.Tanh,
            new SqueezeExcite(8, 4, Activation.Silu), new Rpat.Samples.Extensions.ChannelScale(8), Pool.GlobalAverage(), Activation.Sigmoid,
            .. last]));
        OnnxFile.Write(folder.File("net.onnx"), net);
        float[] images = [.. Enumerable.Range(0, 2 * 3 * size * size).Select(i => i * 37 % 256 / 255f)];
        using var predictor = new Predictor(net);
        using var other = OnnxModel.Open(folder.File("net.onnx"), threads: 1, net.InputShape);
        foreach (var (expected, actual) in predictor.Logits(images).Zip(other.Ask(images))) Assert.Equal(expected, actual, 1e-5f);
    }

    /// <summary>Convolutions in groups are composed, and a sum of plain tensors is another op than that of activations.</summary>
    [Fact]
    public void What_has_no_counterpart_is_refused_in_one_sentence()
    {
        using TempFolder folder = new();
        using var device = Device.Cpu(1);
        Refused("Slice", new Sequential(new Conv2d(3, 4, 3), new Conv2d(4, 4, 3, groups: 2), Pool.GlobalAverage(), new Linear(4, 2)));
        Refused("Add", new Sequential(new Conv2d(3, 4, 3), Pool.GlobalAverage(), new Residual(new Linear(4, 4)), new Linear(4, 2)));
        Refused("Resample", new Sequential(new Conv2d(3, 4, (1, 3), new()), Pool.GlobalAverage(), new Linear(4, 2)));

        void Refused(string op, Layer layers)
        {
            var net = new Network(device, new Shape(1, 3, 8, 8), 2, layers);
            var error = Assert.Throws<NotSupportedException>(() => OnnxFile.Write(folder.File("no.onnx"), net));
            Assert.StartsWith($"ONNX export does not know the op {op}: ", error.Message);
        }
    }

    [Fact]
    public void Fields_are_written_as_protocol_buffers_want_them()
    {
        var writer = new ProtobufWriter();
        writer.Integer(1, 300);
        writer.Integer(2, -1);
        writer.Float(3, 1f);
        writer.Double(4, 0.5);
        writer.Message(20, inner => inner.Text(1, "é"));
        Assert.Equal(
            "08AC02" + "10FFFFFFFFFFFFFFFFFF01" + "1D0000803F" + "21000000000000E03F" + "A201040A02C3A9",
            Convert.ToHexString(writer.ToArray()));
    }

    private static int Occurrences(byte[] bytes, byte[] pattern)
    {
        int count = 0;
        for (ReadOnlySpan<byte> rest = bytes; rest.IndexOf(pattern) is >= 0 and var at; rest = rest[(at + 1)..]) count++;
        return count;
    }
}
