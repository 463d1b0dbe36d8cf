namespace Rpat.Engine.Random;

/// <summary>
/// What random numbers are drawn for. Each purpose has its own numbers, so that drawing more for one changes nothing for another. The
/// values determine what a seed produces: never renumber them.
/// </summary>
public enum Purpose : byte
{
    /// <summary>Initial weights; the sample is the parameter's index.</summary>
    Init = 1,

    /// <summary>The order of the training images in an epoch.</summary>
    Shuffle = 2,

    /// <summary>Crops, flips and other augmentations of an image.</summary>
    Augment = 3,

    /// <summary>Where an attack starts.</summary>
    AttackStart = 4,

    /// <summary>Choices within an attack's iterations.</summary>
    AttackStep = 5,

    /// <summary>Noise added to images, weights or labels.</summary>
    Noise = 6,

    /// <summary>Mixing of images and labels, such as CutMix.</summary>
    Mix = 7,

    /// <summary>Which images are held out.</summary>
    Split = 8,

    /// <summary>Synthetic data.</summary>
    Synthetic = 9,

    /// <summary>Which steps update averaged weights.</summary>
    Average = 10,

    /// <summary>The pass over an adversarial example that decides whether it counts, if the model is random.</summary>
    Decision = 11,

    /// <summary>Which images of a second source join a batch.</summary>
    More = 12,

    /// <summary>Which values a dropout drops.</summary>
    Dropout = 13,
}
