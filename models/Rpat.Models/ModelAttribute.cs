namespace Rpat.Models;

/// <summary>
/// Gives a network of another assembly its name: <see cref="Catalog.Register"/> finds every <see cref="FeatureClassifier"/> that has one,
/// and a constructor that takes a <see cref="Device"/>, a <see cref="ModelSpec"/> with all sizes, and the <see cref="ulong"/> seed of the
/// initial weights.
/// </summary>
/// <param name="about">What it is, in one line.</param>
public sealed class ModelAttribute(string name, string about) : DeclarationAttribute
{
    /// <summary>Its name for users.</summary>
    public string Name { get; } = name;

    /// <summary>The width that <see cref="ModelSpec.Width"/> 0 means.</summary>
    public int Width { get; init; } = 64;

    /// <summary>The number that <see cref="ModelSpec.Blocks"/> 0 means; 0 for a network without stages of equal blocks.</summary>
    public int Blocks { get; init; }

    /// <summary>The weights of the first convolution, whose shape gives the channels of a file's images.</summary>
    public string Stem { get; init; } = "conv1.weight";

    /// <summary>The weights of the last layer, whose shape gives the classes of a file.</summary>
    public string Head { get; init; } = "linear.weight";

    /// <inheritdoc/>
    public override Catalog Catalog => ModelCatalog.Catalog;

    /// <inheritdoc/>
    public override IEnumerable<INamed> Items(Type type)
    {
        var make = Maker<FeatureClassifier>(type, typeof(Device), typeof(ModelSpec), typeof(ulong)) ?? throw new ArgumentException(
            $"{type} is declared as network '{Name}': derive it from {nameof(FeatureClassifier)}, with a public constructor (Device, "
                + "ModelSpec, ulong).");
        yield return new ModelFamily(Name, about, Width, (device, spec, seed) => make([device, spec, seed]))
        {
            Blocks = Blocks,
            Stem = Stem,
            Head = Head,
        };
    }
}
