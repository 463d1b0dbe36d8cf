using Rpat.Models;
using Rpat.Tests.Golden;

namespace Rpat.Tests.Models;

/// <summary>The networks of robustness leaderboards, narrow, against PyTorch in double precision (Golden/README.md).</summary>
public class ZooTests
{
    private static readonly (IReadOnlyList<float> Mean, IReadOnlyList<float> Std) _cifar10 =
        ([0.4914f, 0.4822f, 0.4465f], [0.2471f, 0.2435f, 0.2616f]);

    private static readonly GoldenArrays _golden = new(Path.Combine("models", "zoo.npz"));

    /// <summary>Golden name, model, stages, and whether CIFAR-10's statistics or each image's own are inside.</summary>
    public static TheoryData<string, string, string, string> Nets => new()
    {
        { "dm-wide", "dm-wideresnet28-10", "16,2x16,1x32,1x64", "cifar10" },
        { "dm-preact", "dm-preactresnet18", "8,1x8,2x16,1x24,1x40", "" },
        { "preact-fast", "preactresnet18-fast", "8,1x8,2x16,1x32,1x64", "" },
        { "robust", "robust-wideresnet", "16,1x24,2x40,1x32", "" },
        { "a4", "wideresnet-a4", "16,2x24,1x40,1x32", "cifar10" },
        { "ra", "ra-wideresnet", "24,1x24,2x40,1x56", "" },
        { "se", "se-wideresnet", "24,2x24,1x40,1x56", "" },
        { "dm-sparse", "dm-wideresnet28-10-meansparse", "16,1x16,2x32,1x64", "" },
        { "ra-sparse", "ra-wideresnet-meansparse", "16,1x24,1x40,2x56", "" },
        { "pssilu", "wideresnet28-10-pssilu", "16,1x16,2x32,1x64", "" },
        { "normalized", "wideresnet28-10-normalized", "16,1x16,1x32,2x64", "" },
        { "per-image", "wideresnet10-1", "", "image" },
        { "xcit", "xcit-s12", "", "" },
        { "vit", "vit-s16", "", "" },
        { "vit-convstem", "vit-s16-convstem", "", "" },
    };

    [Theory]
    [MemberData(nameof(Nets))]
    public void Logits_and_gradients_by_images_are_PyTorchs(string name, string model, string stages, string inputs)
    {
        using var device = Device.Cpu(1);
        int[] s = _golden.Integers("shape");
        double[] expected = _golden.Doubles($"{name}/logits");
        FeatureClassifier net = ModelCatalog.Build(device, new ModelSpec(model, new Shape(1, s[1], s[2], s[3]), expected.Length / s[0])
        {
            Width = name.Contains("it") ? 24 : 0,
            Blocks = name.Contains("it") ? 2 : 0,
            Heads = name.Contains("it") ? 3 : 0,
            StemStride = name == "vit" ? 4 : 0,
            Stages = stages,
            Normalization = inputs == "cifar10" ? _cifar10 : null,
            StandardizesImages = inputs == "image",
        }, seed: 1);
        Assert.Equal(_golden.Integers($"{name}/parameters")[0], net.Parameters.Count);
        net.Load(net.State().ToDictionary(array => array.Name, array => Filled(name, array)));
        float[] images = [.. GoldenFill.Uniform($"{name}/images{_golden.Integers($"{name}/attempt")[0]}", s.Aggregate((a, b) => a * b))
            .Select(u => (float)u)];
        Tensor x = Tensor.From(device, net.InputShape.WithBatch(s[0]), images, needsGrad: true);
        var tape = new Tape(device, Gradients.Inputs);
        Tensor logits = tape.Retain(net.Forward(tape, x, BnMode.Eval));
        tape.CrossEntropy(logits, Labels.From(device, [.. Enumerable.Range(0, s[0]).Select(i => i * 3 % net.Classes)]), Reduction.Sum);
        tape.Run();
        AssertNear(expected, logits.ToArray(), 1e-5);
        AssertNear(_golden.Doubles($"{name}/input_gradient"), x.GradToArray(), 1e-4);
    }

    private static NamedArray Filled(string label, NamedArray array)
    {
        float[]? given = array.Name switch
        {
            "activation.alpha" => [1.5f],
            "activation.beta" => [-0.25f],
            _ when array.Name.EndsWith(".threshold", StringComparison.Ordinal) => [0.25f],
            _ => array.Shape.Length == 0 ? [0] : null,
        };
        if (array.Type == ElementType.I64) return array;
        return NamedArray.FromFloats(array.Name, given ?? GoldenFill.Values(label, array.Name,
            Array.ConvertAll(array.Shape, size => (int)size), linearInputs: 16), array.Shape);
    }

    private static void AssertNear(double[] expected, float[] actual, double bound)
    {
        Assert.Equal(expected.Length, actual.Length);
        double error = expected.Zip(actual, (e, a) => Math.Abs(e - a)).Max(), largest = expected.Max(Math.Abs);
        Assert.True(error <= bound * largest, $"{error / largest:E1} of the largest instead of {bound:E0}");
    }
}
