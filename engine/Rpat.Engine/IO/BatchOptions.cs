namespace Rpat.Engine.IO;

/// <summary>How training batches are made of a set.</summary>
/// <param name="Size">Images in a batch; the last one of an epoch may have fewer.</param>
/// <param name="Augment">What happens to each image.</param>
public readonly record struct BatchOptions(int Size, AugmentOptions Augment)
{
    /// <summary>Whether every image comes in a second view, augmented by draws of its own.</summary>
    public bool TwoViews { get; init; }

    /// <summary>The share of batches that <see cref="IO.CutMix"/> mixes, from 0 to 1.</summary>
    public double CutMix { get; init; }

    /// <summary>
    /// Whether images are made when they are first looked at, because a device makes its own (<see cref="ResidentImages"/>). Neither
    /// second views nor mixed images can be.
    /// </summary>
    public bool OnDemand { get; init; }
}
