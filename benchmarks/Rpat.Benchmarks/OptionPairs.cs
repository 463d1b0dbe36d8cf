namespace Rpat.Benchmarks;

/// <summary>Options of the measuring commands, each followed by a value.</summary>
internal static class OptionPairs
{
    /// <summary>The pairs of a command line.</summary>
    /// <exception cref="ArgumentException">The last option has no value.</exception>
    public static IEnumerable<(string Option, string Value)> Of(string[] args)
    {
        for (int i = 0; i < args.Length; i += 2)
        {
            if (i + 1 == args.Length) throw new ArgumentException($"option '{args[i]}' has no value: write one behind it.");
            yield return (args[i], args[i + 1]);
        }
    }

    /// <summary>A whole number above zero.</summary>
    /// <exception cref="ArgumentException">The value is not one.</exception>
    public static int Count(string option, string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int n) && n > 0
            ? n
            : throw new ArgumentException($"'{value}' is no count for {option}: give a whole number above zero.");

    /// <summary>Which algorithms a convolution may choose from.</summary>
    /// <exception cref="ArgumentException">The value is not an algorithm.</exception>
    public static ConvolutionAlgorithm Algorithm(string option, string value) => value switch
    {
        "auto" => ConvolutionAlgorithm.Auto,
        "direct" => ConvolutionAlgorithm.Direct,
        _ => throw new ArgumentException($"'{value}' is no choice for {option}: use auto or direct."),
    };
}
