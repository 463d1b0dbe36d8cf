namespace Rpat.Training;

/// <summary>
/// Training images that are held out to choose a checkpoint: the last ones of each class, in the proportions of the whole set. Neither
/// chance nor the order of the classes in the file matters.
/// </summary>
internal static class ValidationSplit
{
    /// <summary>How many images <c>data.validation</c> means: a number below 1 is a share.</summary>
    public static int CountOf(double wanted, int images) => (int)(wanted < 1 ? Math.Round(wanted * images) : wanted);

    /// <summary>Splits a set.</summary>
    /// <exception cref="ConfigException">Nothing would be left to train on.</exception>
    public static (LabeledImages Train, LabeledImages HeldOut) Of(LabeledImages images, int count)
    {
        if (count >= images.Count)
            throw new ConfigException(
                $"data.validation holds out {count} images where there are {images.Count} to train on: hold out fewer.");
        int[] left = Quotas(images, count);
        var heldOut = new bool[images.Count];
        for (int i = images.Count - 1; i >= 0; i--) heldOut[i] = left[images.Labels[i]]-- > 0;
        return (images.Subset(Indices(heldOut, false)), images.Subset(Indices(heldOut, true)));
    }

    // Each class gets its share rounded down; the rest then goes to the classes with the largest remainders.
    private static int[] Quotas(LabeledImages images, int count)
    {
        var sizes = new long[images.ClassNames.Count];
        foreach (int label in images.Labels) sizes[label]++;
        int[] quotas = [.. sizes.Select(size => (int)(size * count / images.Count))];
        var byRemainder = Enumerable.Range(0, sizes.Length).OrderByDescending(k => sizes[k] * count % images.Count);
        foreach (int k in byRemainder.Take(count - quotas.Sum())) quotas[k]++;
        return quotas;
    }

    private static int[] Indices(bool[] flags, bool wanted) => [.. Enumerable.Range(0, flags.Length).Where(i => flags[i] == wanted)];
}
