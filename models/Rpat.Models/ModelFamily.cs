namespace Rpat.Models;

/// <summary>Makes a network from a specification whose sizes are all given.</summary>
internal delegate FeatureClassifier ModelMaker(Device device, ModelSpec spec, ulong seed);

/// <summary>One of a family's largest weights: it determines the width, and shows that a file really has that many weights.</summary>
internal sealed record Anchor(string Name, Func<int, long[]> Shape);

/// <summary>One model of the catalog.</summary>
public sealed class ModelFamily : INamed
{
    private readonly Anchor? _anchor;
    private readonly ModelMaker _make;

    internal ModelFamily(string name, string about, int width, Anchor? anchor, ModelMaker make) =>
        (Name, About, Width, _anchor, _make) = (name, about, width, anchor, make);

    /// <summary>Its name for users.</summary>
    public string Name { get; }

    /// <summary>What it is, in one line.</summary>
    public string About { get; }

    /// <summary>Width of the published net: what <see cref="ModelSpec.Width"/> 0 means.</summary>
    public int Width { get; }

    /// <summary>Blocks per stage of the published net; 0 for a family without stages of equal blocks.</summary>
    public int Blocks { get; init; }

    /// <summary>Whether the stem halves images of 64 pixels and more, as in the official RPAT_Benchmarks code.</summary>
    internal bool HalvesLargeImages { get; init; }

    /// <summary>The weights of the first convolution.</summary>
    public string Stem { get; internal init; } = "conv1.weight";

    /// <summary>The last layer.</summary>
    internal string Head { get; init; } = "linear.weight";

    /// <summary>Prefix of the names of the last layer, such as <c>linear.</c>.</summary>
    public string HeadPrefix => Head[..(Head.IndexOf('.') + 1)];

    /// <summary>Prefixes of layers that public code creates but never calls: files contain them needlessly.</summary>
    public IReadOnlyList<string> Unused { get; internal init; } = [];

    /// <summary>Prefix of the names of the first stage's blocks, before their numbers.</summary>
    internal string? BlockPrefix { get; init; }

    /// <summary>Builds the network with initial weights.</summary>
    /// <param name="spec">Its sizes; zeros mean the published net's.</param>
    /// <param name="seed">Seed of the initial weights.</param>
    public FeatureClassifier Build(Device device, ModelSpec spec, ulong seed) => _make(device, Complete(spec), seed);

    /// <summary>The specification with every size given.</summary>
    public ModelSpec Complete(ModelSpec spec) => spec with
    {
        Width = spec.Width == 0 ? Width : spec.Width,
        Blocks = spec.Blocks == 0 ? Blocks : spec.Blocks,
        StemStride = spec.StemStride != 0 ? spec.StemStride : HalvesLargeImages && Math.Min(spec.Input.H, spec.Input.W) >= 64 ? 2 : 1,
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
        if (FitWidth(shapes) is { } width) spec = spec with { Width = width };
        return FitBlocks(shapes) is { } blocks ? spec with { Blocks = blocks } : spec;
    }

    private int? FitWidth(IReadOnlyDictionary<string, long[]> shapes)
    {
        if (_anchor is null || !shapes.TryGetValue(_anchor.Name, out long[]? found) || found.Length == 0) return null;
        long width = Math.Clamp(found[0] / _anchor.Shape(1)[0], 1, 4096);
        // Some families round channels, so neighbouring widths are tried too.
        return Enumerable.Range((int)Math.Max(1, width - 1), 3).Where(w => _anchor.Shape(w).SequenceEqual(found)).Select(w => (int?)w)
            .FirstOrDefault();
    }

    private int? FitBlocks(IReadOnlyDictionary<string, long[]> shapes)
    {
        if (BlockPrefix is null) return null;
        int count = shapes.Keys.Where(name => name.StartsWith(BlockPrefix, StringComparison.Ordinal))
            .Select(name => name[BlockPrefix.Length..].Split('.')[0]).Distinct().Count();
        return count == 0 ? null : count;
    }
}
