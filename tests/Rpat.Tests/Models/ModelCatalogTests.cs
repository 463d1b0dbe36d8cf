using Rpat.Models;

namespace Rpat.Tests.Models;

public class ModelCatalogTests
{
    /// <summary>methods.md 1.9: model, classes, parameters.</summary>
    public static TheoryData<string, int, long> Sizes => new()
    {
        { "preactresnet18", 10, 11_172_170 }, { "preactresnet18", 100, 11_218_340 }, { "preactresnet18-benchmarks", 10, 11_171_274 },
        { "resnet18", 10, 11_173_962 }, { "resnet18", 100, 11_220_132 }, { "resnet18", 200, 11_271_432 },
        { "resnet18-bottleneck", 10, 13_958_986 }, { "resnet18-bottleneck", 100, 14_143_396 }, { "resnet18-bottleneck", 200, 14_348_296 },
        { "wideresnet28-10", 10, 36_479_194 }, { "vgg16", 10, 8_173_130 }, { "mobilenetv2", 10, 2_296_922 },
    };

    private static readonly Dictionary<string, int> _narrow = new()
    {
        ["preactresnet18"] = 4,
        ["preactresnet18-benchmarks"] = 3,
        ["resnet18"] = 5,
        ["resnet18-bottleneck"] = 2,
        ["wideresnet10-1"] = 1,
        ["wideresnet16-2"] = 2,
        ["vgg16"] = 3,
        ["mobilenetv2"] = 5,
    };

    public static TheoryData<string, int> Narrow
    {
        get
        {
            TheoryData<string, int> data = [];
            foreach (var (name, width) in _narrow) data.Add(name, width);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Parameters_are_counted_as_published(string name, int classes, long parameters)
    {
        using var device = Device.Cpu(1);
        Assert.Equal(parameters, ModelCatalog.Build(device, new ModelSpec(name, new Shape(1, 3, 32, 32), classes),
            seed: 1).Parameters.Count);
    }

    [Theory]
    [MemberData(nameof(Narrow))]
    public void Images_of_every_size_and_number_of_channels_give_logits(string name, int width)
    {
        using var device = Device.Cpu(1);
        foreach (Shape input in new Shape[] { new(1, 1, 28, 28), new(1, 3, 32, 32), new(1, 3, 64, 64), new(1, 4, 33, 40) })
        {
            FeatureClassifier net = ModelCatalog.Build(device, new ModelSpec(name, input, 7)
            { Width = width, Normalization = Statistics(input.C) }, seed: 1);
            float[] logits = ModelState.Logits(net, new float[2 * input.SampleCount], 2);
            Assert.Equal(14, logits.Length);
            Assert.All(logits, value => Assert.True(float.IsFinite(value)));
        }
    }

    [Theory]
    [MemberData(nameof(Narrow))]
    public void Weights_show_the_sizes_they_were_made_with(string name, int width)
    {
        using var device = Device.Cpu(1);
        ModelFamily family = ModelCatalog.Find(name)!;
        ModelSpec spec = family.Complete(new ModelSpec(name, new Shape(1, 2, 32, 32), 13)
        { Width = width, Blocks = family.Blocks == 0 ? 0 : 3 });
        var shapes = family.Build(device, spec, seed: 1).StateShapes().ToDictionary(s => s.Name, s => s.Shape);
        Assert.Equal(spec, family.Complete(family.Fit(new ModelSpec(name, new Shape(1, 3, 32, 32), 10), shapes)));
    }

    [Fact]
    public void Weights_of_another_model_change_no_size_that_they_do_not_show()
    {
        ModelSpec spec = new("wideresnet34-10", new Shape(1, 3, 32, 32), 10);
        Dictionary<string, long[]> shapes = new()
        {
            ["block3.layer.0.conv2.weight"] = [64, 32, 3, 3],
            ["fc.weight"] = [5],
            ["conv1.weight"] = [0, 0, 3, 3]
        };
        Assert.Equal(spec, ModelCatalog.Find(spec.Name)!.Fit(spec, shapes));
    }

    [Theory]
    [InlineData("wideresnet40-2", 40, 2)]
    [InlineData("wideresnet70-16", 70, 16)]
    public void Wide_ResNets_of_any_size_have_names(string name, int depth, int width)
    {
        ModelFamily family = ModelCatalog.Find(name)!;
        Assert.Equal((name, width, (depth - 4) / 6), (family.Name, family.Width, family.Blocks));
    }

    [Theory]
    [InlineData("wideresnet33-10")]
    [InlineData("wideresnet4-1")]
    [InlineData("wideresnet34-0")]
    [InlineData("resnet")]
    public void Other_names_are_unknown(string name) => Assert.Null(ModelCatalog.Find(name));

    [Theory]
    [InlineData("preactresnet18", 1)]
    [InlineData("preactresnet18-benchmarks", 2)]
    [InlineData("resnet18", 1)]
    [InlineData("resnet18-bottleneck", 2)]
    public void Stems_halve_large_images_where_the_official_code_does(string name, int stride)
    {
        ModelFamily family = ModelCatalog.Find(name)!;
        Assert.Equal(stride, family.Complete(new ModelSpec(name, new Shape(1, 3, 64, 64), 200)).StemStride);
        Assert.Equal(1, family.Complete(new ModelSpec(name, new Shape(1, 3, 32, 32), 10)).StemStride);
        Assert.Equal(4, family.Complete(new ModelSpec(name, new Shape(1, 3, 32, 32), 10) { StemStride = 4 }).StemStride);
    }

    [Fact]
    public void Names_of_checkpoints_are_those_of_the_official_code()
    {
        using var device = Device.Cpu(1);
        void Has(string name, params string[] some) => Assert.All(some, one => Assert.Contains(one, Names(name)));
        string[] Names(string name) => [.. ModelCatalog.Build(device, new ModelSpec(name, new Shape(1, 3, 32, 32), 10) { Width = 4 }, 1)
            .StateShapes().Select(s => s.Name)];
        Has("resnet18", "conv1.weight", "bn1.running_var", "layer2.0.shortcut.0.weight", "layer2.0.shortcut.1.bias", "layer4.1.bn2.weight",
            "linear.bias");
        Has("resnet18-bottleneck", "layer1.0.shortcut.0.weight", "layer3.1.conv3.weight", "layer3.1.bn3.num_batches_tracked");
        Has("preactresnet18-benchmarks", "bn1.weight", "layer1.0.bn1.weight", "layer4.0.shortcut.0.weight");
        Has("vgg16", "layer11.0.bias", "layer43.1.running_mean", "layer6.0.weight", "layer7.1.num_batches_tracked", "layer8.bias");
        Has("mobilenetv2", "layers.0.conv1.weight", "layers.0.shortcut.1.weight", "layers.16.bn3.bias", "conv2.weight", "bn2.weight");
    }

    [Fact]
    public void First_biases_of_convolutions_fill_PyTorchs_range()
    {
        using var device = Device.Cpu(1);
        FeatureClassifier net = ModelCatalog.Build(device, new ModelSpec("vgg16", new Shape(1, 3, 32, 32), 10) { Width = 16 }, 1);
        Parameter bias = net.Parameters.Parameters.Single(p => p.Name == "layer42.0.bias");
        double bound = 1 / Math.Sqrt(9 * 128);
        Assert.InRange(bias.ToArray().Max(Math.Abs), 0.9 * bound, bound * (1 + 1e-6));
    }

    private static (IReadOnlyList<float>, IReadOnlyList<float>) Statistics(int channels) =>
        ([.. Enumerable.Repeat(0.5f, channels)], [.. Enumerable.Repeat(0.25f, channels)]);
}
