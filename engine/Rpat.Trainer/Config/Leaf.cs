using System.Collections;
using Rpat.Trainer.Errors;

namespace Rpat.Trainer.Config;

/// <summary>One key of the configuration, without its type.</summary>
/// <param name="path">The full key, such as <c>attack.eps</c>.</param>
/// <param name="initial">The built-in default, as text.</param>
/// <param name="isList">Whether the key takes a list.</param>
/// <param name="doc">One line for people: what it is and in which unit.</param>
internal abstract class Leaf(string path, string initial, bool isList, string doc)
{
    /// <summary>The full key.</summary>
    public string Path { get; } = path;

    /// <summary>The built-in default, as text.</summary>
    public string Default { get; } = initial;

    /// <summary>Whether the key takes a list.</summary>
    public bool IsList { get; } = isList;

    /// <summary>What the key is, in one line.</summary>
    public string Doc { get; } = doc;

    /// <summary>Whether an empty text, its default, says nothing at all: such a key is listed only where it is set.</summary>
    public bool IsOptional { get; init; }

    /// <summary>Whether two entries of this key mean the same value, however they are written.</summary>
    /// <exception cref="ConfigException">One of them is no such value.</exception>
    public abstract bool Same(Entry one, Entry other);
}

/// <summary>One key of the configuration with the conversion from its text.</summary>
/// <param name="path">The full key.</param>
/// <param name="initial">The built-in default, as text.</param>
/// <param name="kind">Converts and checks the text.</param>
/// <param name="doc">One line for people.</param>
internal sealed class Leaf<T>(string path, string initial, Kind<T> kind, string doc) : Leaf(path, initial, kind.IsList, doc)
{
    /// <summary>Types an entry of this key.</summary>
    /// <exception cref="ConfigException">The text is not such a value; the sentence says where it stands and what is wanted.</exception>
    public T Parse(Entry entry)
    {
        if (entry.IsList && !IsList) throw Wrong(entry, "it wants one value, not a list");
        try
        {
            return kind.Convert(entry.Text);
        }
        catch (FormatException error)
        {
            throw Wrong(entry, error.Message);
        }
    }

    /// <inheritdoc/>
    public override bool Same(Entry one, Entry other) => (Parse(one), Parse(other)) switch
    {
        (string a, string b) => a == b,
        (IEnumerable a, IEnumerable b) => a.Cast<object>().SequenceEqual(b.Cast<object>()),
        var (a, b) => Equals(a, b),
    };

    private static ConfigException Wrong(Entry entry, string wants) =>
        new($"{entry.Path} is '{entry.Text}' ({entry.Origin}): {wants.TrimEnd('.')}{(wants.EndsWith(')') ? "" : ".")}");
}
