namespace Rpat.Nn;

/// <summary>
/// The names of one kind, such as models, as people type them: case and separators do not matter, and common short forms are known.
/// </summary>
/// <param name="Plural">What they are, in messages.</param>
/// <param name="All">The names that can be listed.</param>
public sealed record KnownNames(string Plural, Func<IEnumerable<string>> All)
{
    /// <summary>Whether a name is one, for kinds with more names than can be listed, such as <c>pgd37</c>.</summary>
    public Func<string, bool> Knows { get; init; } = static _ => false;

    /// <summary>Other words for a name, without separators; also in front of a number.</summary>
    public IReadOnlyDictionary<string, string> Short { get; init; } = new Dictionary<string, string>();

    /// <summary>The command that lists all of them, or null.</summary>
    public string? Command { get; init; }

    /// <summary>Whether plugins have names of this kind too.</summary>
    public bool IsOpen { get; init; }

    /// <summary>What to do about a name that is not known since a plugin declares it.</summary>
    public const string OfPlugins = "those of your own are registered first";

    /// <summary>What a text that is no name was meant to be, if that shows; otherwise null.</summary>
    public Func<string, string?> Meaning { get; init; } = static _ => null;

    /// <summary>The name that was meant, in its own spelling; null if there is none.</summary>
    public string? Match(string typed)
    {
        ArgumentNullException.ThrowIfNull(typed);
        string name = typed.Trim();
        if (All().Contains(name) || Knows(name)) return name;
        string bare = Meant(Bare(name));
        return All().FirstOrDefault(known => Bare(known) == bare)
            ?? Only(All().Where(known => Bare(known).Replace("+", "", StringComparison.Ordinal) == bare))
            ?? new[] { bare, Numbered(name) }.FirstOrDefault(Knows);
    }

    /// <summary>The name that was meant, or the text as it is.</summary>
    public string Canonical(string typed) => Match(typed) ?? typed;

    /// <summary>The tail of an error sentence: the nearest names.</summary>
    /// <param name="isValue">Whether the sentence has not said yet that there is no such name.</param>
    public string Hint(string typed, bool isValue = false)
    {
        if (Meaning(typed) is { } meaning) return $"did you mean '{meaning}'?";
        string[] all = [.. All()];
        string? near = DidYouMean.Find(typed, [.. all, .. Short.Keys]);
        string? where = Command is null ? null : $"'{Command}' lists all{(IsOpen ? $", {OfPlugins}" : "")}";
        string hint = DidYouMean.Hint(Spelt(typed), all, Plural, near is null ? null : Match(near), where);
        return isValue && !hint.StartsWith("did you mean", StringComparison.Ordinal) ? $"that is none of the {Plural}; {hint}" : hint;
    }

    // A short form is far from the names that it stands for.
    private string Spelt(string typed)
    {
        int digit = typed.AsSpan().IndexOfAnyInRange('0', '9');
        return Short.ContainsKey(Bare(digit < 0 ? typed : typed[..digit])) ? digit < 0 ? Meant(Bare(typed)) : Numbered(typed) : typed;
    }

    private static string? Only(IEnumerable<string> names) => names.Take(2).ToArray() is [var one] ? one : null;

    // wrn-28-4 is wideresnet28-4, PGD_20 is pgd20.
    private string Numbered(string name)
    {
        int digit = name.AsSpan().IndexOfAnyInRange('0', '9');
        return digit < 0 ? "" : Meant(Bare(name[..digit])) + name[digit..].ToLowerInvariant().Replace('_', '-').Replace('x', '-');
    }

    private string Meant(string bare)
    {
        int digit = bare.AsSpan().IndexOfAnyInRange('0', '9');
        string head = digit < 0 ? bare : bare[..digit];
        return Short.TryGetValue(bare, out string? whole) ? Bare(whole)
            : Short.TryGetValue(head, out string? word) ? Bare(word) + bare[head.Length..] : bare;
    }

    private static string Bare(string name) => string.Concat(name.ToLowerInvariant().Replace("∞", "inf", StringComparison.Ordinal)
        .Where(c => char.IsAsciiLetterOrDigit(c) || c is '+' or ':'));
}
