using Rpat.Models;
using Rpat.Tests.Golden;
using Rpat.Tests.Support;

namespace Rpat.Tests.Models;

/// <summary>Every model family, narrow, against PyTorch in double precision (Golden/README.md): logits and every gradient.</summary>
public class GoldenModelTests
{
    private const int Stride = 32; // of the samples of large gradients
    private const int LinearInputs = 16;

    /// <summary>Golden file, model, width.</summary>
    public static TheoryData<string, string, int> Models => new()
    {
        { "preactresnet18", "preactresnet18", 4 },
        { "preactresnet18-benchmarks", "preactresnet18-benchmarks", 4 },
        { "preactresnet18-benchmarks-64", "preactresnet18-benchmarks", 4 },
        { "resnet18", "resnet18", 5 },
        { "resnet18-bottleneck", "resnet18-bottleneck", 3 },
        { "wideresnet16-1", "wideresnet16-1", 1 },
        { "vgg16", "vgg16", 3 },
        { "vgg16-64", "vgg16", 3 },
        { "vgg16-28", "vgg16", 3 },
        { "mobilenetv2", "mobilenetv2", 4 },
    };

    [Theory]
    [MemberData(nameof(Models))]
    public void Logits_and_gradients_are_PyTorchs(string file, string model, int width)
    {
        using var device = Device.Cpu(2);
        var (net, golden, images) = Open(device, file, model, width);
        Assert.Equal(golden.Integers("parameters")[0], net.Parameters.Count);
        AssertLogits(golden.Doubles("eval"), ModelState.Logits(net, images, golden.Integers("shape")[0]));
        float[] logits = Backward(net, images, golden.Integers("shape")[0]);
        AssertLogits(golden.Doubles("train"), logits);
        double scale = net.Parameters.Parameters.Max(p => golden.Doubles($"gradient/{p.Name}").Max(Math.Abs));
        foreach (Parameter p in net.Parameters.Parameters) AssertGradient(golden, p, scale);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void The_last_layer_of_the_features_gives_the_logits(string file, string model, int width)
    {
        using var device = Device.Cpu(1);
        var (net, golden, images) = Open(device, file, model, width);
        int n = golden.Integers("shape")[0];
        var tape = new Tape(device);
        Tensor features = tape.Retain(net.Features(tape, Tensor.From(device, net.InputShape.WithBatch(n), images), BnMode.Eval));
        Tensor logits = tape.Retain(net.Logits(tape, features));
        tape.Forward();
        Assert.Equal(new Shape(n, net.FeatureCount), features.Shape);
        Bits.Equal(ModelState.Logits(net, images, n), Copy(tape, logits));
    }

    private static float[] Copy(Tape tape, Tensor tensor)
    {
        tape.Forward();
        return tensor.ToArray();
    }

    private static (FeatureClassifier Net, GoldenArrays Golden, float[] Images) Open(Device device, string file, string model, int width)
    {
        GoldenArrays golden = new(Path.Combine("models", $"{file}.npz"));
        int[] s = golden.Integers("shape");
        FeatureClassifier net = ModelCatalog.Build(device, new ModelSpec(model, new Shape(1, s[1], s[2], s[3]), s[4])
        { Width = width }, seed: 1);
        net.Load(net.State().ToDictionary(a => a.Name, a => a.Type == ElementType.I64 ? a : NamedArray.FromFloats(
            a.Name, GoldenFill.Values(file, a.Name, Array.ConvertAll(a.Shape, size => (int)size), LinearInputs), a.Shape)));
        return (net, golden, [.. GoldenFill.Uniform($"{file}/images{golden.Integers("attempt")[0]}", s[0] * s[1] * s[2] * s[3])
            .Select(u => (float)u)]);
    }

    private static float[] Backward(Classifier net, float[] images, int n)
    {
        var tape = new Tape(net.Device, Gradients.Parameters);
        Tensor logits = tape.Retain(net.Forward(tape, Tensor.From(net.Device, net.InputShape.WithBatch(n), images), BnMode.Train));
        tape.CrossEntropy(logits, Labels.From(net.Device, [.. Enumerable.Range(0, n).Select(i => i * 3 % net.Classes)]));
        tape.Run();
        return logits.ToArray();
    }

    private static void AssertLogits(double[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - actual[i]) <= 1e-4, $"[{i}] is {actual[i]} instead of {expected[i]}");
    }

    // Batch statistics take a convolution's bias away again: its gradient is rounding, and only its size can be compared.
    private static void AssertGradient(GoldenArrays golden, Parameter p, double scale)
    {
        double[] expected = golden.Doubles($"gradient/{p.Name}");
        float[] whole = p.GradToArray(), actual = golden.Has($"sums/{p.Name}") ? [.. whole.Where((_, i) => i % Stride == 0)] : whole;
        Assert.Equal(expected.Length, actual.Length);
        double norm = Math.Sqrt(expected.Sum(e => e * e)), error = Math.Sqrt(expected.Zip(actual, (e, a) => (e - a) * (e - a)).Sum());
        double allowed = norm < 1e-9 ? 1e-5 * scale : 1e-3 * norm;
        Assert.True(error <= allowed, $"{p.Name}: error {error:E2}, norm {norm:E2}");
        if (!golden.Has($"sums/{p.Name}")) return;
        double[] sums = golden.Doubles($"sums/{p.Name}");
        Assert.InRange(whole.Sum(v => (double)v * v), sums[1] * (1 - 1e-3), sums[1] * (1 + 1e-3));
        Assert.InRange(whole.Sum(v => (double)v), sums[0] - 1e-3 * Math.Sqrt(sums[1]), sums[0] + 1e-3 * Math.Sqrt(sums[1]));
    }
}
