namespace Rpat.Formats.Data;

/// <summary>How to make training batches from a set.</summary>
/// <param name="Size">Images in a batch; the last one of an epoch may have fewer, down to <see cref="Least"/>.</param>
/// <param name="Augment">What happens to each image.</param>
public readonly record struct BatchOptions(int Size, AugmentOptions Augment)
{
    /// <summary>The minimum number of images in a batch, 0 means 1: a smaller last batch is dropped from its epoch.</summary>
    public int Least { get; init; }

    /// <summary>Batches in an epoch of this many images.</summary>
    public int Batches(int images) => images / Size + (images % Size >= Math.Max(1, Least) ? 1 : 0);

    /// <summary>Random operations on each image between its flip and Cutout; null for none.</summary>
    public ImagePolicy? Policy { get; init; }

    /// <summary>Whether <see cref="Policy"/> does anything.</summary>
    internal bool HasPolicy => Policy is { Kind: not PolicyKind.None };

    /// <summary>Whether every image comes in a second view, augmented with independent draws.</summary>
    public bool TwoViews { get; init; }

    /// <summary>The share of batches that <see cref="Data.CutMix"/> mixes, from 0 to 1.</summary>
    public double CutMix { get; init; }

    /// <summary>α of the Beta distribution from which <see cref="Data.Mixup"/> blends every batch; 0 for none.</summary>
    public double Mixup { get; init; }

    /// <summary>
    /// Images that fill <see cref="MoreShare"/> of each batch in addition to those of the set, drawn with replacement; null for none. An
    /// epoch still has as many batches as the set alone would fill.
    /// </summary>
    public MappedImages? More { get; init; }

    /// <summary>The share of each batch that is taken from <see cref="More"/>, rounded down.</summary>
    public double MoreShare { get; init; }

    /// <summary>Images of the set in a batch of that many.</summary>
    internal int Own(int batch) => More is null ? batch : batch - (int)(batch * MoreShare);

    /// <summary>Whether labels are mixed.</summary>
    internal bool Mixes => CutMix > 0 || Mixup > 0;

    /// <summary>
    /// Whether images are made only when they are first read, because a device makes its own (<see cref="ResidentImages"/>). This
    /// excludes second views, mixed images and policies.
    /// </summary>
    public bool OnDemand { get; init; }
}
