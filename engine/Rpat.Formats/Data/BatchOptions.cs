namespace Rpat.Formats.Data;

/// <summary>How training batches are made of a set.</summary>
/// <param name="Size">Images in a batch; the last one of an epoch may have fewer, down to <see cref="Least"/>.</param>
/// <param name="Augment">What happens to each image.</param>
public readonly record struct BatchOptions(int Size, AugmentOptions Augment)
{
    /// <summary>Images that a batch needs, 0 as 1: a last batch of fewer is left out of its epoch.</summary>
    public int Least { get; init; }

    /// <summary>Batches that an epoch of so many images has.</summary>
    public int Batches(int images) => images / Size + (images % Size >= Math.Max(1, Least) ? 1 : 0);

    /// <summary>Whether every image comes in a second view, augmented by draws of its own.</summary>
    public bool TwoViews { get; init; }

    /// <summary>The share of batches that <see cref="Data.CutMix"/> mixes, from 0 to 1.</summary>
    public double CutMix { get; init; }

    /// <summary>
    /// Whether images are made when they are first looked at, because a device makes its own (<see cref="ResidentImages"/>). Neither
    /// second views nor mixed images can be.
    /// </summary>
    public bool OnDemand { get; init; }
}
