using System.Reflection;

namespace Rpat.Robust.Settings;

/// <summary>A property that is declared as a setting.</summary>
public sealed class Setting
{
    private readonly SettingAttribute _declared;

    private Setting(PropertyInfo property, SettingAttribute declared, object prototype)
    {
        (Property, _declared) = (property, declared);
        if (property is not { GetMethod.IsPublic: true, SetMethod.IsPublic: true })
            throw Wrong("make the property public, with an init accessor");
        if (declared.Min > declared.Max) throw Wrong("its Min is above its Max");
        Name = declared.Name.Length > 0 ? declared.Name : JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name);
        Kind = ValueKind.Of(property.PropertyType, declared)
            ?? throw Wrong($"a setting cannot be a {property.PropertyType.Name}, unless its attribute has a Kind");
        object? value = property.GetValue(prototype);
        if (value is null && (Kind is ListKind or NormKind || property.PropertyType == typeof(string) && !declared.Optional))
            throw Wrong("give the property a value, which is the default");
        Default = Kind.Write(value);
        if (Default.Length > 0) RequireValid();
        (Source, IsUncertain) = (declared.Source, declared.Uncertain);
    }

    private void RequireValid()
    {
        try
        {
            Kind.Parse(Default);
        }
        catch (FormatException error)
        {
            throw Wrong($"its default is '{Default}', and {error.Message}");
        }
    }

    private ArgumentException Wrong(string what) => new($"{Property.DeclaringType} declares {Property.Name} as a setting: {what}.");

    /// <summary>The property.</summary>
    public PropertyInfo Property { get; }

    /// <summary>Key.</summary>
    public string Name { get; }

    /// <summary>How its text is converted to a value.</summary>
    public ValueKind Kind { get; }

    /// <summary>The value if nothing is set, as text.</summary>
    public string Default { get; }

    /// <summary>Its meaning and unit, in one line.</summary>
    public string About => _declared.About;

    /// <summary>Where the default comes from.</summary>
    public string Source { get; private init; }

    /// <summary>Whether the default is assumed.</summary>
    public bool IsUncertain { get; private init; }

    /// <summary>Smallest valid number.</summary>
    public double Min => _declared.Min;

    /// <summary>Largest valid number.</summary>
    public double Max => _declared.Max;

    /// <summary>Whether an empty text means that nothing is set.</summary>
    public bool IsOptional => _declared.Optional;

    /// <summary>The plural for a choice's names.</summary>
    public string Plural => _declared.Plural;

    /// <summary>For the epoch in which a part of a method begins: what a run that ends before it amounts to; else empty.</summary>
    public string Without => _declared.Without;

    /// <summary>The first epoch with that part, for a value of this setting.</summary>
    public int FirstEpoch(string text) =>
        (int)Convert.ToInt64(Kind.Parse(text), System.Globalization.CultureInfo.InvariantCulture) + (_declared.IsLastWithout ? 1 : 0);

    /// <summary>Whether bounds apply to it.</summary>
    public bool IsNumber => Kind is WholeKind or RealKind;

    /// <summary>
    /// The settings of an object's type, those of its base first, in order of declaration; the object's values are the defaults.
    /// </summary>
    public static IReadOnlyList<Setting> Of(object prototype) =>
    [
        .. from property in prototype.GetType().GetProperties(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
           where property.GetCustomAttribute<SettingAttribute>() is not null
           orderby DepthOf(property.DeclaringType!), property.MetadataToken
           select new Setting(property, property.GetCustomAttribute<SettingAttribute>()!, prototype),
    ];

    /// <summary>The same setting with another source for its default.</summary>
    public Setting From(string source, bool uncertain) => new(Property, _declared, this) { Source = source, IsUncertain = uncertain };

    /// <summary>Sets the property of an object.</summary>
    /// <param name="target">An object of the declaring type.</param>
    /// <exception cref="FormatException">The text is not a valid value; the message completes the sentence "KEY is 'TEXT': …".</exception>
    public void Set(object target, string text) => Property.SetValue(target, Kind.Parse(text));

    /// <summary>Refuses an object whose number is out of its setting's bounds.</summary>
    /// <exception cref="ArgumentException">One is.</exception>
    internal static void Require(string who, object part)
    {
        foreach (var property in part.GetType().GetProperties())
            if (property.GetCustomAttribute<SettingAttribute>() is { Kind: null } declared
                && property.GetValue(part) is float or double or int or long && !declared.Holds(property.GetValue(part)!))
                throw new ArgumentException(FormattableString.Invariant(
                    $"{who}: {property.Name} is {property.GetValue(part)}: it is a number from {declared.Min} to {declared.Max}."));
    }

    private Setting(PropertyInfo property, SettingAttribute declared, Setting same)
    {
        (Property, _declared, Name, Kind, Default, Source) = (property, declared, same.Name, same.Kind, same.Default, same.Source);
    }

    private static int DepthOf(Type type) => type.BaseType is { } below ? 1 + DepthOf(below) : 0;
}
