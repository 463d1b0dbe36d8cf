using System.Globalization;

namespace Rpat.Robust;

/// <summary>The settings of one method: what is given, and the defaults of the rest.</summary>
public sealed class MethodSettings
{
    private readonly MethodInfo _method;
    private readonly IReadOnlyDictionary<string, string> _given;

    /// <summary>Checks what is given.</summary>
    /// <param name="method">The method.</param>
    /// <param name="given">Values by name; an empty text is the default.</param>
    /// <exception cref="ArgumentException">A name is none of the method's, or a value is not what it takes; the sentence says what to do.</exception>
    public MethodSettings(MethodInfo method, IReadOnlyDictionary<string, string> given)
    {
        (_method, _given) = (method, given);
        foreach (string name in given.Keys)
            if (method.Parameters.All(p => p.Name != name)) throw new ArgumentException(Unknown(name));
        foreach (var parameter in method.Parameters) Check(parameter, Text(parameter));
    }

    /// <summary>A number.</summary>
    public float Number(string name) => (float)Parse(Text(name));

    /// <summary>A whole number.</summary>
    public int Whole(string name) => (int)Parse(Text(name));

    /// <summary>true or false.</summary>
    public bool Flag(string name) => Text(name) == "true";

    /// <summary>The text of a setting.</summary>
    public string Text(string name) => Text(_method.Parameters.First(p => p.Name == name));

    private string Text(MethodParameter p) => _given.TryGetValue(p.Name, out string? text) && text.Length > 0 ? text.Trim() : p.Default;

    private string Unknown(string name)
    {
        string known = _method.Parameters.Count == 0 ? "it has none" : $"its settings are {string.Join(", ", _method.Parameters.Select(p => p.Name))}";
        return $"method {_method.Name} has no setting '{name}': {known}.";
    }

    private void Check(MethodParameter p, string text)
    {
        string? wants = p.Kind switch
        {
            SettingKind.Flag => text is "true" or "false" ? null : "true or false",
            SettingKind.Choice => p.Choices.Contains(text) ? null : string.Join(", ", p.Choices),
            _ => WantsNumber(p, Parse(text)),
        };
        if (wants is not null) throw new ArgumentException($"setting '{p.Name}' of method {_method.Name} is '{text}': it wants {wants}.");
    }

    private static string? WantsNumber(MethodParameter p, double value)
    {
        bool fits = value >= p.Least && value <= p.Most && (p.Kind == SettingKind.Number || value == Math.Floor(value));
        string range = p.Most == double.MaxValue ? Invariant($"of at least {p.Least}") : Invariant($"from {p.Least} to {p.Most}");
        return fits ? null : $"a {(p.Kind == SettingKind.Whole ? "whole " : "")}number {range}";
    }

    // A number, or a fraction such as 8/255; NaN for all else.
    private static double Parse(string text)
    {
        string[] parts = text.Split('/');
        if (!double.TryParse(parts[0], NumberStyles.Float, CultureInfo.InvariantCulture, out double value)) return double.NaN;
        if (parts.Length == 1) return value;
        bool whole = parts.Length == 2 && double.TryParse(parts[1], NumberStyles.Float, CultureInfo.InvariantCulture, out double below) && below > 0;
        return whole ? value / double.Parse(parts[1], NumberStyles.Float, CultureInfo.InvariantCulture) : double.NaN;
    }

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
