namespace Rpat.Training.Config;

/// <summary>One value as it was written, before it is typed, and where it was written.</summary>
/// <param name="Path">The full key, such as <c>attack.eps</c>.</param>
/// <param name="Text">The value's text; the items of a list are joined by <c>", "</c>.</param>
/// <param name="IsList">Whether it was written as a YAML list.</param>
/// <param name="Origin">Where it was written: <c>my.yaml:12</c>, <c>--eps</c>, <c>environment RPAT__ATTACK__EPS</c>.</param>
internal sealed record Entry(string Path, string Text, bool IsList, string Origin)
{
    /// <summary>Where the value comes from in the world, if that is known: a paper, a code, a choice.</summary>
    public string? Source { get; init; }

    /// <summary>The text split at its commas, blanks around and empty items dropped.</summary>
    public static string[] Items(string text) => text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
}

/// <summary>The values of one source. Of several layers the later one wins, key by key.</summary>
/// <param name="Name">What the source is called.</param>
/// <param name="Entries">The values by full key.</param>
/// <param name="Extends">The file or recipe that this one builds on, if it names one.</param>
internal sealed record Layer(string Name, IReadOnlyDictionary<string, Entry> Entries, Entry? Extends = null);
