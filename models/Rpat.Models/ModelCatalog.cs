using System.Text.RegularExpressions;

namespace Rpat.Models;

/// <summary>The networks by name (methods.md 1.9), for command lines, configurations and checkpoints.</summary>
public static partial class ModelCatalog
{
    // Kinds of wide ResNets, as the ends of their names.
    private const string MeanSparse = "-meansparse", ParametricSilu = "-pssilu", Normalized = "-normalized";

    private static readonly (IReadOnlyList<float> Mean, IReadOnlyList<float> Std)
        _cifar10 = ([0.4914f, 0.4822f, 0.4465f], [0.2471f, 0.2435f, 0.2616f]),
        _cifar100 = ([0.5071f, 0.4865f, 0.4409f], [0.2673f, 0.2564f, 0.2762f]);

    /// <summary>Where <see cref="Catalog.Register"/> adds networks.</summary>
    internal static Catalog<ModelFamily> Catalog { get; } = new("a network",
    [
        PreAct("preactresnet18", "pre-activation ResNet-18 of the official RPAT_SOTAs code", BlockStyle.PreAct),
        PreAct("preactresnet18-benchmarks", "its variant in the official RPAT_Benchmarks code: norm behind the stem",
            BlockStyle.NormalizedStem),
        PreAct("preactresnet18-fast", "its variant in Fast AT: no norm before the pooling, shortcuts of the input",
            BlockStyle.Unnormalized),
        PreAct("dm-preactresnet18", "pre-activation ResNet-18 of Gowal, Rebuffi, Rade: SiLU, 3x3 shortcuts", BlockStyle.DmPreAct),
        Res("resnet18", "ResNet-18 with basic blocks", bottleneck: false),
        Res("resnet18-bottleneck", "what the official RPAT_Benchmarks code builds as ResNet-18: bottleneck blocks", bottleneck: true),
        Wide("wideresnet", 28, 10),
        Wide("wideresnet", 34, 10),
        Wide("dm-wideresnet", 28, 10),
        Wide("dm-wideresnet", 70, 16, MeanSparse),
        Wide("wideresnet", 28, 10, ParametricSilu),
        Wide("wideresnet", 34, 20, Normalized),
        .. Unequal,
        .. new[] { ("s", 384, 8), ("m", 512, 8), ("l", 768, 16) }.Select(Xcit),
        .. from convolves in new[] { false, true } from size in new[] { ("s", 384), ("b", 768) } select Vit(size, convolves),
        new("vgg16", "VGG16 with batch norm as the official code cuts it for small images: 10 convolutions, not 13", 64,
            (device, s, seed) => new Vgg(device, With(s, new VggOptions { Width = s.Width }), seed))
            {
                Stem = "layer11.0.weight",
                Head = "layer8.weight",
                FitSizes = ModelFamily.WidthBy("layer42.0.weight", w => [8 * w, 8 * w, 3, 3]),
            },
        new("mobilenetv2", "MobileNetV2, depthwise convolutions", 32,
            (device, s, seed) => new MobileNetV2(device, With(s, new MobileNetV2Options { Width = s.Width }), seed))
            { FitSizes = ModelFamily.WidthBy("conv2.weight", w => [40 * w, 10 * w, 1, 1]) },
    ], name => Find(name) is not null);

    /// <summary>Every model; <see cref="Find"/> also accepts <c>wideresnetD-K</c> of any depth and width.</summary>
    public static IReadOnlyList<ModelFamily> All => Catalog.All;

    /// <summary>The names as papers and other code spell them.</summary>
    public static KnownNames Spellings { get; } = new("models", () => All.Select(family => family.Name))
    {
        Knows = name => Find(name) is not null,
        Short = new Dictionary<string, string> { ["wrn"] = "wideresnet", ["prn"] = "preactresnet" },
    };

    /// <summary>The model of a name, or null.</summary>
    public static ModelFamily? Find(string name)
    {
        if (Catalog.Find(name) is { } known) return known;
        Match match = WidePattern().Match(name);
        return match.Success && Number(match, "depth") is var depth && depth % 6 == 4 && depth >= 10
            ? Wide(match.Groups["kind"].Value, depth, Number(match, "width"), match.Groups["options"].Value) : null;
    }

    /// <summary>Builds the network of a specification.</summary>
    /// <param name="spec">Name and sizes; zeros mean the published net's.</param>
    /// <param name="seed">Seed of the initial weights.</param>
    /// <exception cref="ArgumentException">There is no such model.</exception>
    public static FeatureClassifier Build(Device device, ModelSpec spec, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(spec);
        string name = Spellings.Canonical(spec.Name);
        var family = Find(name) ?? throw new ArgumentException($"There is no model '{spec.Name}': {Spellings.Hint(spec.Name)}");
        return family.Build(device, spec with { Name = name }, seed);
    }

    // Networks whose stages have their own depths and widths; a width scales them.
    private static IEnumerable<ModelFamily> Unequal =>
    [
        Residual("robust-wideresnet", "wide ResNet with a narrower last stage (Huang et al., 2021)", BlockStyle.Robust,
            new(16, [(5, 320), (5, 640), (5, 512)])),
        Residual("wideresnet-a4", "WRN-A4: SiLU, stages of 27, 28 and 13 blocks (Huang et al., 2022)", BlockStyle.A4,
            new(16, [(27, 160), (28, 448), (13, 384)])),
        .. from options in new[] { "", MeanSparse } from after in new[] { 1, 2 } select Excited(after, options),
    ];

    // Weights do not show which convolution squeeze-and-excite follows: the second in the published network, the first by default in its
    // code.
    private static ModelFamily Excited(int after, string options)
    {
        const string published = "ra-wideresnet", other = "se-wideresnet";
        NetSizes sizes = new(96, [(30, 216), (31, 432), (10, 864)]);
        string about = after == 2 ? "RaWRN-70-16: SiLU, squeeze-and-excite after the second convolutions (Peng et al., 2023)"
            : "RaWRN-70-16 with squeeze-and-excite after the first convolutions";
        return Residual((after == 1 ? other : published) + options, about + AboutOf("", options),
            StyleOf("dm-wideresnet", options) with { ExcitesAfter = after }, 216, sizes.Scaled, blocks: 0,
            spec => (sizes.ToString() == spec.Stages ? published : other) + options,
            after == 2 ? null : $"squeeze-and-excite is taken to follow the first convolution of each block: if it follows the second, "
                + $"the model is {published}{options}");
    }

    private static ModelFamily PreAct(string name, string about, BlockStyle style) =>
        Residual(name, about, style, 64, (width, blocks) => NetSizes.Doubling(width, width, 4, blocks), blocks: 2);

    private static ModelFamily Residual(string name, string about, BlockStyle style, NetSizes published) =>
        Residual(name, about, style, published.Stages[0].Channels, published.Scaled, blocks: 0);

    private static ModelFamily Residual(string name, string about, BlockStyle style, int width, Func<int, int, NetSizes> sizes, int blocks,
        Func<ModelSpec, string>? named = null, string? doubt = null)
    {
        var rule = new StageRule(sizes, shapes => NetSizes.In(shapes, $"{style.Stem}.weight", style.Stages, style.Conv2));
        return new(name, about, width, (device, s, seed) =>
            new PreActivationNet(device, With(s, new SharedOptions()), style, rule.From(s), seed))
        {
            Blocks = blocks,
            FitSizes = rule.Fit,
            Stem = $"{style.Stem}.weight",
            Head = $"{style.Head}.weight",
            Unused = style.Unused,
            HalvesLargeImages = style.NormalizesStem,
            NameOf = named,
            Doubt = doubt,
            UnsavedNormalization = style.PadsBehind ? Cifar : _ => null,
        };
    }

    private static ModelFamily Res(string name, string about, bool bottleneck)
    {
        var rule = new StageRule((width, blocks) => NetSizes.Doubling(width, width, 4, blocks),
            shapes => shapes.ContainsKey("layer1.0.conv3.weight") == bottleneck
                ? NetSizes.In(shapes, "conv1.weight", BlockStyle.PreAct.Stages, "conv2") : null);
        return new(name, about, 64, (device, s, seed) =>
            new ResNet(device, With(s, new ResNetOptions { Width = s.Width, Bottleneck = bottleneck }), rule.From(s), seed))
        {
            Blocks = 2,
            FitSizes = rule.Fit,
            HalvesLargeImages = bottleneck,
        };
    }

    private static ModelFamily Xcit((string Size, int Width, int Heads) of) => new(
        $"xcit-{of.Size}12", $"cross-covariance image transformer of 12 blocks, {of.Width} wide (Debenedetti et al., 2022)", of.Width,
        (device, s, seed) => new Xcit(device, s, seed))
    {
        Blocks = 12,
        Heads = of.Heads,
        Stem = "patch_embed.proj.0.0.weight",
        Head = "head.weight",
        FitSizes = Models.Xcit.Fit,
        NameOf = s => s.Width switch { 512 => "xcit-m12", 768 => "xcit-l12", _ => "xcit-s12" },
        UnsavedNormalization = Cifar,
    };

    private static ModelFamily Vit((string Size, int Width) of, bool convolves)
    {
        string stem = convolves ? "-convstem" : "";
        return new($"vit-{of.Size}16{stem}", $"vision transformer of 12 blocks, {of.Width} wide, patches of 16 pixels" + (convolves
            ? " by convolutions (Singh et al., 2023)" : " (Dosovitskiy et al., 2021)"), of.Width,
            (device, s, seed) => new Vit(device, s, convolves, seed))
        {
            Blocks = 12,
            Heads = of.Width / 64,
            Patch = 16,
            Stem = convolves ? "patch_embed.proj.stem.0.weight" : "patch_embed.proj.weight",
            Head = "head.weight",
            FitSizes = Models.Vit.Fit,
            NameOf = s => (s.Width == 768 ? "vit-b16" : "vit-s16") + stem,
        };
    }

    private static ModelFamily Wide(string kind, int depth, int width, string options = "")
    {
        string about = string.Create(CultureInfo.InvariantCulture,
            $"wide ResNet of {depth} layers, {width} times as wide{AboutOf(kind, options)}; {kind}D-K{options} for others");
        return Residual(Name(kind, depth, width, options), about, StyleOf(kind, options), width, WideResNet.SizesOf, (depth - 4) / 6,
            spec => spec.Stages.Length > 0 ? spec.Name : Name(kind, 6 * spec.Blocks + 4, spec.Width, options));
    }

    private static string Name(string kind, int depth, int width, string options) =>
        string.Create(CultureInfo.InvariantCulture, $"{kind}{depth}-{width}{options}");

    private static BlockStyle StyleOf(string kind, string options)
    {
        BlockStyle style = kind == "wideresnet" ? BlockStyle.Wide : BlockStyle.Dm;
        return options switch
        {
            MeanSparse => style with { SparsifiesAroundMean = true },
            ParametricSilu => style with { Activation = Activation.ParametricSilu, Unused = [".activation."] },
            Normalized => style with { NormalizesFeatures = true },
            _ => style,
        };
    }

    private static string AboutOf(string kind, string options) => options switch
    {
        MeanSparse => ", values near the mean set to it (Amini et al., 2024)",
        ParametricSilu => ", parametric SiLU (Dai et al., 2021), not for training",
        Normalized => ", features and classifier of length 1 (Pang et al., 2020), not for training",
        _ => kind == "dm-wideresnet" ? ", SiLU (Gowal, Rebuffi, Wang, Cui, Bartoldson)" : "",
    };

    private static (IReadOnlyList<float>, IReadOnlyList<float>)? Cifar(int classes) =>
        classes switch { 10 => _cifar10, 100 => _cifar100, _ => null };

    private static T With<T>(ModelSpec spec, T options) where T : ModelOptions => options with
    {
        Input = spec.Input,
        Classes = spec.Classes,
        StemStride = spec.StemStride,
        Normalization = spec.Normalization,
    };

    private static int Number(Match match, string group) => int.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(
        @"^(?:(?<kind>wideresnet)(?<depth>[1-9][0-9]{1,2})-(?<width>[1-9][0-9]?)(?<options>|-pssilu|-normalized)"
            + @"|(?<kind>dm-wideresnet)(?<depth>[1-9][0-9]{1,2})-(?<width>[1-9][0-9]?)(?<options>|-meansparse))\z")]
    private static partial Regex WidePattern();

    private sealed record SharedOptions : ModelOptions;
}
