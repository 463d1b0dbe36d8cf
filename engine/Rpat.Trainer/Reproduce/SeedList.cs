namespace Rpat.Trainer.Reproduce;

/// <summary>Reads <c>--seeds 1,2,5</c> and <c>--seeds 1..3</c>.</summary>
internal static class SeedList
{
    private const int Most = 10_000;

    /// <summary>The seeds, each once.</summary>
    /// <exception cref="UsageException">The text is no such list.</exception>
    public static long[] Parse(string text)
    {
        long[] seeds = [.. ConfigValue.Items(text).SelectMany(Range).Distinct()];
        return seeds.Length is > 0 and <= Most && seeds.All(seed => seed >= 0) ? seeds
            : throw new UsageException($"--seeds is '{text}': give whole numbers such as 1,2,3 or 1..3, the lower one first.");
    }

    private static IEnumerable<long> Range(string item)
    {
        string[] ends = item.Split("..");
        if (ends.Length > 2 || !TryRead(ends[0], out long first) || !TryRead(ends[^1], out long last) || last < first) return [-1];
        return Enumerable.Range(0, (int)Math.Min(last - first + 1, Most + 1)).Select(i => first + i);
    }

    private static bool TryRead(string text, out long seed) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out seed);
}
