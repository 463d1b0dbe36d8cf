using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Rpat.Robust.Settings;

/// <summary>Converts the text of a setting to its value, and back.</summary>
public abstract class ValueKind
{
    /// <summary>The allowed names; empty if they cannot be listed.</summary>
    public virtual IReadOnlyList<string> Names => [];

    /// <summary>Whether a list is allowed.</summary>
    public virtual bool IsList => false;

    /// <summary>Reads a value.</summary>
    /// <exception cref="FormatException">It is not valid; the message completes the sentence "KEY is 'TEXT': …".</exception>
    public abstract object? Parse(string text);

    /// <summary>Writes a value.</summary>
    public virtual string Write(object? value) => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";

    /// <summary>The kind as JSON Schema; any text if nothing more is known.</summary>
    public virtual JsonObject Schema() => new() { ["type"] = "string" };

    /// <summary>The kind of a property; null if there is none for its type.</summary>
    internal static ValueKind? Of(Type type, SettingAttribute declared)
    {
        if (declared.Kind is { } kind) return Custom(type, kind, declared);
        if (Nullable.GetUnderlyingType(type) is { } inner) return Of(inner, declared) is { } one ? new AutomaticKind(one) : null;
        if (ItemOf(type) is { } item) return Of(item, declared) is { } one ? new ListKind(item, one) : null;
        if (type == typeof(string)) return new TextKind();
        if (type == typeof(bool)) return new FlagKind();
        if (type == typeof(Norm)) return new NormKind();
        if (type.IsEnum) return new EnumKind(type);
        if (type == typeof(int) || type == typeof(long)) return new WholeKind(type, declared.Min, declared.Max);
        if (type == typeof(float) || type == typeof(double)) return new RealKind(type, declared.Min, declared.Max);
        return null;
    }

    private static ValueKind Custom(Type type, Type kind, SettingAttribute declared)
    {
        bool bounded = kind.GetConstructor([typeof(double), typeof(double)]) is not null;
        var made = (ValueKind)Activator.CreateInstance(kind, bounded ? [declared.Min, declared.Max] : [])!;
        return ItemOf(type) is { } item ? new ListKind(item, made) : made;
    }

    private static Type? ItemOf(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>) ? type.GetGenericArguments()[0] : null;
}

/// <summary>Any text, the empty one included.</summary>
public class TextKind : ValueKind
{
    /// <inheritdoc/>
    public override object? Parse(string text) => text;
}

/// <summary><c>true</c> or <c>false</c>.</summary>
public sealed class FlagKind : ValueKind
{
    /// <inheritdoc/>
    public override IReadOnlyList<string> Names { get; } = ["true", "false"];

    /// <inheritdoc/>
    public override object? Parse(string text) => text.Trim().ToLowerInvariant() switch
    {
        "true" => true,
        "false" => false,
        _ => throw new FormatException("it wants true or false"),
    };

    /// <inheritdoc/>
    public override string Write(object? value) => (bool)value! ? "true" : "false";

    /// <inheritdoc/>
    public override JsonObject Schema() => new() { ["type"] = "boolean" };
}

/// <summary>A whole number within bounds, both included.</summary>
internal sealed class WholeKind(Type type, double min, double max) : ValueKind
{
    public override object? Parse(string text) => Numbers.TryWhole(text, out long value) && value >= min && value <= max
        ? Convert.ChangeType(value, type, CultureInfo.InvariantCulture)
        : throw new FormatException($"it wants a whole number from {Text(min)} to {Text(max)}");

    public override JsonObject Schema() => Bounds.On(new() { ["type"] = "integer" }, min, max);

    private static string Text(double bound) =>
        (bound >= long.MaxValue ? long.MaxValue : (long)bound).ToString(CultureInfo.InvariantCulture);
}

/// <summary>A real number within bounds, both included; a fraction such as 8/255 is allowed.</summary>
public class RealKind(Type type, double min, double max) : ValueKind
{
    /// <inheritdoc/>
    public override object? Parse(string text) => Numbers.TryReal(text, out double value) && value >= min && value <= max
        ? Convert.ChangeType(value, type, CultureInfo.InvariantCulture)
        : throw new FormatException($"it wants a number from {Numbers.Text(min)} to {Numbers.Text(max)}, such as 0.1, 1e-4 or 8/255");

    /// <inheritdoc/>
    public override string Write(object? value) => value is float single ? Numbers.Text(single) : Numbers.Text((double)value!);

    // '8/255' is a number here, and '1e-4' is one that some YAML readers treat as text.
    /// <inheritdoc/>
    public override JsonObject Schema() => Bounds.AnyOf(
        Bounds.On(new() { ["type"] = "number" }, min, max),
        new JsonObject { ["type"] = "string", ["pattern"] = @"^\s*[-+.0-9eE]+\s*(/\s*[-+.0-9eE]+\s*)?$" });
}

/// <summary>
/// One of the members of an enumeration: its name in lower case, or that of its <see cref="JsonStringEnumMemberNameAttribute"/>.
/// </summary>
internal sealed class EnumKind(Type type) : ValueKind
{
    private readonly (string Name, object Value)[] _members =
        [.. type.GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (NameOf(field), field.GetValue(null)!))];

    public override IReadOnlyList<string> Names => [.. _members.Select(member => member.Name)];

    public override object? Parse(string text)
    {
        int index = Array.FindIndex(_members, member => member.Name == text.Trim());
        return index >= 0 ? _members[index].Value : throw new FormatException($"it wants one of {string.Join(", ", Names)}");
    }

    public override string Write(object? value) => _members.First(member => member.Value.Equals(value)).Name;

    public override JsonObject Schema() => Bounds.OneOf(Names);

    private static string NameOf(FieldInfo field) =>
        field.GetCustomAttribute<JsonStringEnumMemberNameAttribute>()?.Name ?? JsonNamingPolicy.SnakeCaseLower.ConvertName(field.Name);
}

/// <summary>A norm by its name.</summary>
internal sealed class NormKind : ValueKind
{
    public override IReadOnlyList<string> Names { get; } = [.. Norm.All.Select(norm => norm.Name)];

    public override object? Parse(string text) =>
        Names.Contains(text.Trim()) ? Norm.Parse(text.Trim()) : throw new FormatException("it wants linf, l2 or l1");

    public override string Write(object? value) => ((Norm)value!).Name;

    public override JsonObject Schema() => Bounds.OneOf(Names);
}

/// <summary>A value, or <c>auto</c> to leave it to the method.</summary>
internal sealed class AutomaticKind(ValueKind inner) : ValueKind
{
    private const string Automatic = "auto";

    public override IReadOnlyList<string> Names => [Automatic, .. inner.Names];

    public override object? Parse(string text) => text.Trim() == Automatic ? null : inner.Parse(text);

    public override string Write(object? value) => value is null ? Automatic : inner.Write(value);

    public override JsonObject Schema() => Bounds.OneOf(Names);
}

/// <summary>A list of values, written as a YAML list or separated by commas; it may be empty.</summary>
internal sealed class ListKind(Type type, ValueKind item) : ValueKind
{
    public override bool IsList => true;

    public override object? Parse(string text)
    {
        object?[] values = [.. text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(item.Parse)];
        var list = Array.CreateInstance(type, values.Length);
        values.CopyTo(list, 0);
        return list;
    }

    public override string Write(object? value) =>
        string.Join(", ", ((System.Collections.IEnumerable)value!).Cast<object>().Select(item.Write));

    public override JsonObject Schema() =>
        Bounds.AnyOf(new JsonObject { ["type"] = "array", ["items"] = item.Schema() }, new JsonObject
        { ["type"] = "string" }, item.Schema());
}

/// <summary>JSON Schema fragments shared by several kinds.</summary>
internal static class Bounds
{
    public static JsonObject On(JsonObject schema, double min, double max)
    {
        (schema["minimum"], schema["maximum"]) = (min, max);
        return schema;
    }

    public static JsonObject OneOf(IEnumerable<string> names) =>
        new() { ["enum"] = new JsonArray([.. names.Select(name => (JsonNode)name)]) };

    public static JsonObject AnyOf(params JsonNode[] kinds) => new() { ["anyOf"] = new JsonArray(kinds) };
}
