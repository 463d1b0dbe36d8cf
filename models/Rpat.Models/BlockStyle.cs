namespace Rpat.Models;

/// <summary>What follows a batch norm.</summary>
internal enum Activation
{
    Relu,
    Silu,

    /// <summary>x·(σ(|α|x) − |β|)/(1 − |β|) with two numbers α and β of the network (Dai et al., 2021).</summary>
    ParametricSilu,
}

/// <summary>Names and rules of a family of pre-activation ResNets; sizes are <see cref="NetSizes"/>.</summary>
internal sealed record BlockStyle
{
    /// <summary>PreActResNet-18 of the official RPAT_SOTAs code, and of many others.</summary>
    public static BlockStyle PreAct { get; } = new();

    /// <summary>Its variant in the official RPAT_Benchmarks code (methods.md 1.9(a′)).</summary>
    public static BlockStyle NormalizedStem { get; } = PreAct with { Norm = "bn1", NormalizesStem = true };

    /// <summary>Its variant without a last batch norm, whose strided shortcuts carry the block's input (Wong et al., 2020).</summary>
    public static BlockStyle Unnormalized { get; } = PreAct with { Norm = null, ProjectsInput = true };

    /// <summary>The wide ResNets of TRADES.</summary>
    public static BlockStyle Wide { get; } = PreAct with
    {
        Stages = Numbered("block{0}.layer", 1, 3),
        Shortcut = "convShortcut",
        Norm = "bn1",
        Head = "fc",
        Filters = Init.HeFanOut,
        Unused = ["sub_block1."],
    };

    /// <summary>Wide ResNets with stages of their own sizes (Huang et al., 2021).</summary>
    public static BlockStyle Robust { get; } = Wide with { Stem = "stem_conv", Stages = Numbered("blocks.{0}.layer", 0, 3) };

    /// <summary>Their successors with SiLU (Huang et al., 2022).</summary>
    public static BlockStyle A4 { get; } = Robust with { Shortcut = "shortcut.0", Norm = "norm1", Activation = Activation.Silu };

    /// <summary>The wide ResNets of Gowal et al. (2020) with Swish, which is SiLU.</summary>
    public static BlockStyle Dm { get; } = new()
    {
        Stem = "init_conv",
        Stages = Numbered("layer.{0}.block", 0, 3),
        Norm1 = "batchnorm_0",
        Conv1 = "conv_0",
        Norm2 = "batchnorm_1",
        Conv2 = "conv_1",
        Shortcut = "shortcut",
        Norm = "batchnorm",
        Head = "logits",
        Filters = Init.HeFanOut,
        PadsBehind = true,
        Activation = Activation.Silu,
    };

    /// <summary>The pre-activation ResNets of the same code, with 3×3 shortcuts of the block's input.</summary>
    public static BlockStyle DmPreAct { get; } = Dm with
    {
        Stem = "conv_2d",
        Stages = Numbered("layer_{0}", 0, 4),
        Conv1 = "conv_2d_1",
        Conv2 = "conv_2d_2",
        ShortcutSize = 3,
        Filters = Init.Default,
        ProjectsInput = true,
    };

    public string Stem { get; init; } = "conv1";

    /// <summary>Names of each stage's blocks, before their numbers.</summary>
    public IReadOnlyList<string> Stages { get; init; } = Numbered("layer{0}", 1, 4);

    public string Norm1 { get; init; } = "bn1";
    public string Conv1 { get; init; } = "conv1";
    public string Norm2 { get; init; } = "bn2";
    public string Conv2 { get; init; } = "conv2";
    public string Shortcut { get; init; } = "shortcut.0";

    /// <summary>The batch norm before the pooling, or behind the stem; null for none.</summary>
    public string? Norm { get; init; } = "bn";

    public string Head { get; init; } = "linear";
    public Activation Activation { get; init; }
    public int ShortcutSize { get; init; } = 1;
    public Init Filters { get; init; } = Init.Default;
    public bool ZeroBias => Filters == Init.HeFanOut;

    /// <summary>
    /// Batch norm and ReLU come after the stem instead of before the pooling, and an identity shortcut carries the output of the block's
    /// first batch norm and ReLU.
    /// </summary>
    public bool NormalizesStem { get; init; }

    /// <summary>A convolution in the shortcut reads the block's input instead of the first activation.</summary>
    public bool ProjectsInput { get; init; }

    /// <summary>Convolutions with stride 2 are padded behind the map only (TensorFlow's SAME).</summary>
    public bool PadsBehind { get; init; }

    /// <summary>The convolution of the branch that squeeze-and-excite follows (Hu et al., 2018), 1 or 2; 0 for none.</summary>
    public int ExcitesAfter { get; init; }

    /// <summary>Values near a channel's mean become the mean, before each activation and after each block (Amini et al., 2024).</summary>
    public bool SparsifiesAroundMean { get; init; }

    /// <summary>Features and the rows of the last layer, which has no bias, have length 1 (Pang et al., 2020); for evaluation.</summary>
    public bool NormalizesFeatures { get; init; }

    /// <summary>Parts of names that files have in addition.</summary>
    public IReadOnlyList<string> Unused { get; init; } = [];

    private static string[] Numbered(string name, int first, int count) =>
        [.. Enumerable.Range(first, count).Select(i => string.Format(CultureInfo.InvariantCulture, name, i))];
}
