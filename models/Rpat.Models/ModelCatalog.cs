using System.Text.RegularExpressions;

namespace Rpat.Models;

/// <summary>The networks by name (methods.md 1.9), for command lines, configurations and checkpoints.</summary>
public static partial class ModelCatalog
{
    /// <summary>Where <see cref="Catalog.Register"/> adds networks.</summary>
    internal static Catalog<ModelFamily> Catalog { get; } = new("a network",
    [
        PreAct("preactresnet18", "pre-activation ResNet-18 of the official RPAT_SOTAs code", normalizesStem: false),
        PreAct("preactresnet18-benchmarks", "its variant in the official RPAT_Benchmarks code: norm behind the stem", normalizesStem: true),
        Res("resnet18", "ResNet-18 with basic blocks", bottleneck: false),
        Res("resnet18-bottleneck", "what the official RPAT_Benchmarks code builds as ResNet-18: bottleneck blocks", bottleneck: true),
        Wide(28, 10),
        Wide(34, 10),
        new("vgg16", "VGG16 with batch norm, ten convolutions", 64, new("layer42.0.weight", w => [8 * w, 8 * w, 3, 3]),
            (device, s, seed) => new Vgg(device, With(s, new VggOptions { Width = s.Width }), seed))
                { Stem = "layer11.0.weight", Head = "layer8.weight" },
        new("mobilenetv2", "MobileNetV2, depthwise convolutions", 32, new("conv2.weight", w => [40 * w, 10 * w, 1, 1]),
            (device, s, seed) => new MobileNetV2(device, With(s, new MobileNetV2Options { Width = s.Width }), seed)),
    ], name => Find(name) is not null);

    /// <summary>Every model; <see cref="Find"/> also accepts <c>wideresnetD-K</c> of any depth and width.</summary>
    public static IReadOnlyList<ModelFamily> All => Catalog.All;

    /// <summary>The model of a name, or null.</summary>
    public static ModelFamily? Find(string name)
    {
        if (Catalog.Find(name) is { } known) return known;
        Match match = WidePattern().Match(name);
        return match.Success && Number(match, 1) is var depth && depth % 6 == 4 && depth >= 10 ? Wide(depth, Number(match, 2)) : null;
    }

    /// <summary>Builds the network of a specification.</summary>
    /// <param name="spec">Name and sizes; zeros mean the published net's.</param>
    /// <param name="seed">Seed of the initial weights.</param>
    /// <exception cref="ArgumentException">There is no such model.</exception>
    public static FeatureClassifier Build(Device device, ModelSpec spec, ulong seed) =>
        (Find(spec.Name) ?? throw new ArgumentException($"There is no model '{spec.Name}'.", nameof(spec))).Build(device, spec, seed);

    private static ModelFamily PreAct(string name, string about, bool normalizesStem) =>
        new(name, about, 64, new("layer4.0.conv2.weight", w => [8 * w, 8 * w, 3, 3]), (device, s, seed) => new PreActResNet(
            device, With(s, new PreActResNetOptions { Width = s.Width, BlocksPerStage = s.Blocks, NormalizesStem = normalizesStem }), seed))
        {
            Blocks = 2,
            BlockPrefix = "layer1.",
            HalvesLargeImages = normalizesStem,
        };

    private static ModelFamily Res(string name, string about, bool bottleneck)
    {
        Anchor anchor = bottleneck
            ? new("layer4.0.conv3.weight", w => [32 * w, 8 * w, 1, 1])
            : new("layer4.0.conv2.weight", w => [8 * w, 8 * w, 3, 3]);
        return new(name, about, 64, anchor, (device, s, seed) => new ResNet(
            device, With(s, new ResNetOptions { Width = s.Width, BlocksPerStage = s.Blocks, Bottleneck = bottleneck }), seed))
        {
            Blocks = 2,
            BlockPrefix = "layer1.",
            HalvesLargeImages = bottleneck,
        };
    }

    private static ModelFamily Wide(int depth, int width)
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"wideresnet{depth}-{width}");
        string about = string.Create(CultureInfo.InvariantCulture,
            $"wide ResNet of {depth} layers, {width} times as wide; wideresnetD-K for others");
        return new(name, about, width, new("block3.layer.0.conv2.weight", k => [64 * k, 64 * k, 3, 3]), (device, s, seed) => new WideResNet(
            device, With(s, new WideResNetOptions { Depth = 6 * s.Blocks + 4, Width = s.Width }), seed))
        {
            Blocks = (depth - 4) / 6,
            Head = "fc.weight",
            Unused = ["sub_block1."],
            BlockPrefix = "block1.layer.",
        };
    }

    private static T With<T>(ModelSpec spec, T options) where T : ModelOptions => options with
    {
        Input = spec.Input,
        Classes = spec.Classes,
        StemStride = spec.StemStride,
        Normalization = spec.Normalization,
    };

    private static int Number(Match match, int group) => int.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^wideresnet([1-9][0-9]{1,2})-([1-9][0-9]?)\z")]
    private static partial Regex WidePattern();
}
