namespace Rpat.Robust.Settings;

/// <summary>
/// Declares a property as a setting: the configuration's key, its help, its bounds and the source of its default. The default is the value
/// that the property has in a new object. Nothing else has to be registered.
/// </summary>
/// <param name="about">Its meaning and unit, in one line.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SettingAttribute(string about) : Attribute
{
    /// <summary>Its meaning and unit, in one line.</summary>
    public string About { get; } = about;

    /// <summary>Where the default comes from.</summary>
    public string Source { get; init; } = "";

    /// <summary>The key, if it is not the property's name in lower case with underscores.</summary>
    public string Name { get; init; } = "";

    /// <summary>Smallest valid number.</summary>
    public double Min { get; init; }

    /// <summary>Largest valid number.</summary>
    public double Max { get; init; } = 1e6;

    /// <summary>Whether the default is assumed: the source does not say, or sources disagree (methods.md section 9).</summary>
    public bool Uncertain { get; init; }

    /// <summary>Whether an empty text, the default, means that nothing is set: such a key is written only if it is set.</summary>
    public bool Optional { get; init; }

    /// <summary>A <see cref="ValueKind"/> without constructor parameters, for texts that the property's type does not describe.</summary>
    public Type? Kind { get; init; }

    /// <summary>The plural for a choice's names, such as <c>norms</c>.</summary>
    public string Plural { get; init; } = "values";

    /// <summary>Whether the epoch is the last one without the part of <see cref="Without"/>, instead of the first with it.</summary>
    public bool IsLastWithout { get; init; }

    /// <summary>For the epoch in which a part of a method begins: what a run that ends before it amounts to.</summary>
    public string Without { get; init; } = "";

    // A float's bounds are rounded as it is.
    internal bool Holds(object number) => number is float single ? single >= (float)Min && single <= (float)Max
        : Convert.ToDouble(number, CultureInfo.InvariantCulture) is var value && value >= Min && value <= Max;
}

/// <summary>Declares a property as a section of settings, whose keys are below its own.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SectionAttribute : Attribute;
