namespace Rpat.Robust.Settings;

/// <summary>
/// Declares a property as a setting: the configuration's key, its help, its bounds and where its default is from. The default is the value
/// that the property has in a new object. Nothing else needs to know of it.
/// </summary>
/// <param name="about">What it is and in which unit, in one line.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SettingAttribute(string about) : Attribute
{
    /// <summary>What it is and in which unit, in one line.</summary>
    public string About { get; } = about;

    /// <summary>Where the default is from.</summary>
    public string Source { get; init; } = "";

    /// <summary>The key, where it is not the property's name in lower case with underscores.</summary>
    public string Name { get; init; } = "";

    /// <summary>Smallest number that is taken.</summary>
    public double Min { get; init; }

    /// <summary>Largest number that is taken.</summary>
    public double Max { get; init; } = 1e6;

    /// <summary>Whether the default is assumed: the source does not say, or sources disagree (methods.md section 9).</summary>
    public bool Uncertain { get; init; }

    /// <summary>Whether an empty text, its default, says nothing at all: such a key is written only where it is set.</summary>
    public bool Optional { get; init; }

    /// <summary>A <see cref="ValueKind"/> without parameters, for texts that the property's type alone does not describe.</summary>
    public Type? Kind { get; init; }

    /// <summary>What a choice's names are called together, such as <c>norms</c>.</summary>
    public string Plural { get; init; } = "values";

    /// <summary>Whether the epoch is the last without the part that <see cref="Without"/> speaks of, and not the first with it.</summary>
    public bool IsLastWithout { get; init; }

    /// <summary>For the epoch in which a part of a method begins: what a run is that ends before it.</summary>
    public string Without { get; init; } = "";
}

/// <summary>Says that a property holds a section of settings, whose keys stand below its own.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SectionAttribute : Attribute;
