namespace Rpat.Nn;

/// <summary>Finds the name that a mistyped one was meant to be.</summary>
public static class DidYouMean
{
    private const int Most = 5;

    /// <summary>The candidate at the smallest distance, or null if none is close enough to be a typo.</summary>
    public static string? Find(string name, IEnumerable<string> candidates)
    {
        var best = candidates
            .Select(candidate => (candidate, distance: Distance(name.ToLowerInvariant(), candidate.ToLowerInvariant())))
            .OrderBy(pair => pair.distance)
            .FirstOrDefault();
        return best.candidate is not null && best.distance <= Allowed(name.Length) ? best.candidate : null;
    }

    // Fewer than half of the letters, of long names a third; a single letter has no typo.
    private static int Allowed(int length) => Math.Min(Math.Max(2, length / 3), length / 2);

    /// <summary>
    /// The tail of an error sentence: <c>did you mean 'x'? (models: x, y, z)</c>, or <c>choose one of: x, y, z</c> when nothing is close;
    /// of many candidates only the nearest.
    /// </summary>
    /// <param name="kind">The plural that precedes the list, such as <c>models</c>.</param>
    /// <param name="near">The name that is suggested; null to search for it.</param>
    /// <param name="where">Where all candidates are listed, or null.</param>
    public static string Hint(string name, IReadOnlyCollection<string> candidates, string kind, string? near = null, string? where = null)
    {
        string list = string.Join(", ", candidates.Count <= Most ? candidates : Nearest(name, candidates));
        near ??= Find(name, candidates);
        if (candidates.Count <= Most) return near is null ? $"choose one of: {list}." : $"did you mean '{near}'? ({kind}: {list})";
        string all = where is null ? "" : $"; {where}";
        return near is null ? $"the nearest {kind} are {list}{all}." : $"did you mean '{near}'? (nearest {kind}: {list}{all})";
    }

    // Part of a name is nearer than any typo.
    private static IEnumerable<string> Nearest(string name, IEnumerable<string> candidates) => candidates
        .OrderBy(candidate => name.Length < 2 || !candidate.Contains(name, StringComparison.OrdinalIgnoreCase))
        .ThenBy(candidate => Distance(name.ToLowerInvariant(), candidate.ToLowerInvariant())).Take(Most);

    /// <summary>
    /// The Damerau-Levenshtein distance in its optimal-string-alignment form: insertions, deletions, substitutions and swaps of
    /// neighbours cost one each, and no part is edited twice.
    /// </summary>
    internal static int Distance(string a, string b)
    {
        var table = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++) table[i, 0] = i;
        for (int j = 0; j <= b.Length; j++) table[0, j] = j;
        for (int i = 1; i <= a.Length; i++)
        {
            for (int j = 1; j <= b.Length; j++) table[i, j] = Cell(table, a, b, i, j);
        }

        return table[a.Length, b.Length];
    }

    private static int Cell(int[,] table, string a, string b, int i, int j)
    {
        int replace = table[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
        int best = Math.Min(replace, 1 + Math.Min(table[i - 1, j], table[i, j - 1]));
        bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
        return swapped ? Math.Min(best, table[i - 2, j - 2] + 1) : best;
    }
}
