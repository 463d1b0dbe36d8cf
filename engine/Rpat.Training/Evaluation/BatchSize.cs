namespace Rpat.Training.Evaluation;

/// <summary>How many images are attacked at a time: the user's number, or as many as fit into memory.</summary>
/// <param name="MayShrink">Whether half as many are tried if memory does not suffice.</param>
internal readonly record struct BatchSize(int Images, bool MayShrink)
{
    /// <summary>The value for as many as fit.</summary>
    public const string Auto = "auto";

    private const int FirstTry = 128;

    /// <summary>Reads <c>auto</c> or a number.</summary>
    /// <exception cref="UsageException">It is neither.</exception>
    public static BatchSize Parse(string text)
    {
        if (text == Auto) return new BatchSize(FirstTry, MayShrink: true);
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int images) && images > 0
            ? new BatchSize(images, MayShrink: false)
            : throw new UsageException($"--batch-size is '{text}': give a number of at least 1, or auto for as many as fit into memory.");
    }

    /// <summary>Works in batches that fit.</summary>
    /// <param name="note">Receives a line when there is too little memory and smaller batches are tried.</param>
    /// <param name="attempt">Does the remaining work in batches of a size; frees all its memory when it fails.</param>
    /// <exception cref="DeviceException">Not even the given number, or a single image, fits.</exception>
    public T Run<T>(Action<string> note, Func<int, T> attempt)
    {
        for (int images = Images; ; images = (images + 1) / 2)
        {
            try
            {
                return attempt(images);
            }
            catch (OutOfMemoryException) when (MayShrink && images > 1)
            {
                note($"out of memory with {Text(images)} under attack at a time: continuing with {(images + 1) / 2}");
            }
            catch (OutOfMemoryException error)
            {
                string advice = images == 1 ? "a smaller model or a device with more memory is needed"
                    : $"choose a smaller --batch-size, or {Auto}";
                throw new DeviceException($"out of memory with {Text(images)} under attack at a time: {advice}.", error);
            }
        }
    }

    private static string Text(int images) => images == 1 ? "1 image" : FormattableString.Invariant($"{images} images");
}
