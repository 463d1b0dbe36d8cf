namespace Rpat.Models;

/// <summary>Makes a network from a specification whose sizes are all given.</summary>
internal delegate FeatureClassifier ModelMaker(Device device, ModelSpec spec, ulong seed);

/// <summary>The specification with the sizes that weights show.</summary>
internal delegate ModelSpec SizeFitter(ModelSpec spec, IReadOnlyDictionary<string, long[]> shapes);

/// <summary>The sizes of a family of residual networks.</summary>
/// <param name="Of">Sizes for a width and a number of blocks per stage.</param>
/// <param name="In">The sizes that weights show, or null.</param>
internal sealed record StageRule(Func<int, int, NetSizes> Of, Func<IReadOnlyDictionary<string, long[]>, NetSizes?> In)
{
    /// <summary>The sizes of a specification.</summary>
    /// <exception cref="ArgumentException">Its stages are no such sizes.</exception>
    public NetSizes From(ModelSpec spec) => spec.Stages.Length > 0 ? NetSizes.Parse(spec.Stages) : Of(spec.Width, spec.Blocks);

    /// <summary>The sizes that weights show: as width and blocks if they can say them.</summary>
    public ModelSpec Fit(ModelSpec spec, IReadOnlyDictionary<string, long[]> shapes)
    {
        if (In(shapes) is not { } sizes) return spec;
        int width = Math.Max(1, sizes.Stages[0].Channels / Of(1, 1).Stages[0].Channels), blocks = sizes.Stages[0].Blocks;
        return Of(width, blocks).Equals(sizes) ? spec with { Width = width, Blocks = blocks, Stages = "" }
            : spec with { Stages = sizes.ToString() };
    }
}

/// <summary>One model of the catalog.</summary>
public sealed class ModelFamily : INamed
{
    private readonly ModelMaker _make;

    internal ModelFamily(string name, string about, int width, ModelMaker make) => (Name, About, Width, _make) = (name, about, width, make);

    /// <summary>Its name for users.</summary>
    public string Name { get; }

    /// <summary>What it is, in one line.</summary>
    public string About { get; }

    /// <summary>Width of the published net: what <see cref="ModelSpec.Width"/> 0 means.</summary>
    public int Width { get; }

    /// <summary>Blocks per stage of the published net; 0 for a family without stages of equal blocks.</summary>
    public int Blocks { get; init; }

    /// <summary>Attention heads of the published net; 0 for a family without attention.</summary>
    public int Heads { get; init; }

    /// <summary>Side of the published net's patches; 0 for a family without patches.</summary>
    internal int Patch { get; init; }

    /// <summary>Whether the stem halves images of 64 pixels and more, as in the official RPAT_Benchmarks code.</summary>
    internal bool HalvesLargeImages { get; init; }

    /// <summary>The weights of the first convolution.</summary>
    public string Stem { get; internal init; } = "conv1.weight";

    /// <summary>The last layer.</summary>
    internal string Head { get; init; } = "linear.weight";

    /// <summary>Prefix of the names of the last layer, such as <c>linear.</c>.</summary>
    public string HeadPrefix => Head[..(Head.LastIndexOf('.') + 1)];

    /// <summary>Parts of names of layers that public code creates but never calls, or saves twice: files contain them needlessly.</summary>
    public IReadOnlyList<string> Unused { get; internal init; } = [];

    /// <summary>Reads sizes from weights.</summary>
    internal SizeFitter FitSizes { get; init; } = (spec, _) => spec;

    /// <summary>What weights do not show, as a note to those who did not name the network; mostly null.</summary>
    public string? Doubt { get; internal init; }

    /// <summary>The name for other sizes of the same kind; null if there is one name only.</summary>
    internal Func<ModelSpec, string>? NameOf { get; init; }

    /// <summary>
    /// Mean and deviation of each channel that published networks of this kind have inside but not in their files, by the number of
    /// classes; null if it is unknown.
    /// </summary>
    public Func<int, (IReadOnlyList<float> Mean, IReadOnlyList<float> Std)?> UnsavedNormalization { get; internal init; } = _ => null;

    /// <summary>Builds the network with initial weights.</summary>
    /// <param name="spec">Its sizes; zeros mean the published net's.</param>
    /// <param name="seed">Seed of the initial weights.</param>
    /// <exception cref="ArgumentException">The specification's stages are no sizes of such a network.</exception>
    public FeatureClassifier Build(Device device, ModelSpec spec, ulong seed)
    {
        FeatureClassifier net = _make(device, Complete(spec), seed);
        net.StandardizesImages = spec.StandardizesImages;
        return net;
    }

    /// <summary>The specification with every size given.</summary>
    public ModelSpec Complete(ModelSpec spec) => spec with
    {
        Width = spec.Width == 0 ? Width : spec.Width,
        Blocks = spec.Blocks == 0 ? Blocks : spec.Blocks,
        Heads = spec.Heads == 0 ? Heads : spec.Heads,
        StemStride = spec.StemStride != 0 ? spec.StemStride : Patch != 0 ? Patch
            : HalvesLargeImages && Math.Min(spec.Input.H, spec.Input.W) >= 64 ? 2 : 1,
    };

    /// <summary>
    /// The sizes that the weights determine: channels, classes, width and blocks. Other sizes stay as they are, so that a file of
    /// another model ends in a list of names that do not match, not in a guess.
    /// </summary>
    /// <param name="shapes">Sizes of the weights by the network's names.</param>
    public ModelSpec Fit(ModelSpec spec, IReadOnlyDictionary<string, long[]> shapes)
    {
        if (shapes.TryGetValue(Stem, out long[]? stem) && stem is [_, > 0 and <= 4096, _, _]) spec = spec with
        { Input = spec.Input with { C = (int)stem[1] } };
        if (shapes.TryGetValue(Head, out long[]? head) && head is [> 0 and <= 1_000_000, _]) spec = spec with { Classes = (int)head[0] };
        return FitSizes(spec, shapes);
    }

    /// <summary>The specification under the name that says its sizes, where names do.</summary>
    public ModelSpec Named(ModelSpec spec) => NameOf is null ? spec : spec with { Name = NameOf(Complete(spec)) };

    /// <summary>Reads the width from one of the largest weights, which also shows that a file really has that many.</summary>
    /// <param name="shapeOf">Its sizes for a width.</param>
    internal static SizeFitter WidthBy(string weight, Func<int, long[]> shapeOf) => (spec, shapes) =>
    {
        if (!shapes.TryGetValue(weight, out long[]? found) || found.Length == 0) return spec;
        long width = Math.Clamp(found[0] / shapeOf(1)[0], 1, 4096);
        // Some families round channels, so neighbouring widths are tried too.
        int fitting = Enumerable.Range((int)Math.Max(1, width - 1), 3).FirstOrDefault(w => shapeOf(w).SequenceEqual(found));
        return fitting == 0 ? spec : spec with { Width = fitting };
    };
}
