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

    /// <summary>Whether every image comes in a second view, augmented with independent draws.</summary>
    public bool TwoViews { get; init; }

    /// <summary>The share of batches that <see cref="Data.CutMix"/> mixes, from 0 to 1.</summary>
    public double CutMix { get; init; }

    /// <summary>
    /// Whether images are made only when they are first read, because a device makes its own (<see cref="ResidentImages"/>). This
    /// excludes second views and mixed images.
    /// </summary>
    public bool OnDemand { get; init; }
}
