using System.Linq.Expressions;
using System.Reflection;
using System.Text.Json;
using Rpat.Robust.Methods;
using Rpat.Robust.Settings;
using MethodInfo = Rpat.Robust.Methods.MethodInfo;

namespace Rpat.Training.Config;

/// <summary>
/// Every key of the configuration, read from what the sections and the methods declare. What is not among them is an unknown key.
/// </summary>
internal static class ConfigKeys
{
    private static readonly Dictionary<string, ConfigKey> _byProperty = [];
    private static readonly IReadOnlyList<ConfigKey> _declared = [.. Declared(new TrainerConfig(), [], "")];
    private static Known _known = new([], []);

    /// <summary>All keys, in the order in which a resolved configuration lists them.</summary>
    public static IReadOnlyList<ConfigKey> All
    {
        get
        {
            var (methods, known) = (MethodCatalog.All, _known);
            return ReferenceEquals(known.Methods, methods) ? known.Keys : (_known = new(methods, WithSettings(methods))).Keys;
        }
    }

    /// <summary>The key of a property: <c>Of(c => c.Attack.Eps)</c>.</summary>
    public static ConfigKey Of(Expression<Func<TrainerConfig, object?>> property) => _byProperty[PathOf(property.Body)];

    /// <summary>The declared keys below a section.</summary>
    /// <param name="prefix">The section's key, with a full stop at its end.</param>
    public static IEnumerable<ConfigKey> Below(string prefix) => _declared.Where(key => key.Path.StartsWith(prefix, StringComparison.Ordinal));

    /// <summary>Makes the typed configuration from one entry per key.</summary>
    /// <exception cref="Errors.ConfigException">A value is not of its key's kind.</exception>
    public static TrainerConfig Bind(IReadOnlyDictionary<string, Entry> values)
    {
        var config = new TrainerConfig();
        foreach (var key in All) key.Set(config, values[key.Path]);
        return config;
    }

    private static IEnumerable<ConfigKey> Declared(object section, IReadOnlyList<PropertyInfo> chain, string prefix)
    {
        var settings = Setting.Of(section);
        foreach (var property in section.GetType().GetProperties().OrderBy(property => property.MetadataToken))
        {
            if (property.GetCustomAttribute<SettingAttribute>() is not null)
                yield return Named(chain, property, prefix, settings.First(setting => setting.Property == property));
            else if (property.GetCustomAttribute<SectionAttribute>() is not null && property.GetValue(section) is { } below)
                foreach (var key in Declared(below, [.. chain, property], prefix + KeyOf(property) + '.')) yield return key;
        }
    }

    private static ConfigKey Named(IReadOnlyList<PropertyInfo> chain, PropertyInfo property, string prefix, Setting setting) =>
        _byProperty[string.Join('.', chain.Append(property).Select(p => p.Name))] = new ConfigKey(chain, prefix + setting.Name, setting);

    // The methods' own settings stand behind the method's name.
    private static IReadOnlyList<ConfigKey> WithSettings(IReadOnlyList<MethodInfo> methods)
    {
        int name = _declared.ToList().IndexOf(Of(c => c.Method.Name)) + 1;
        var own = from setting in methods.SelectMany(method => method.Settings)
                  group setting by setting.Name into same
                  orderby same.Key
                  select new ConfigKey($"method.{same.Key}", [.. same]);
        return [.. _declared.Take(name), .. own, .. _declared.Skip(name)];
    }

    private static string PathOf(Expression body) => body switch
    {
        UnaryExpression { NodeType: ExpressionType.Convert } cast => PathOf(cast.Operand),
        MemberExpression { Expression: MemberExpression section } member => $"{PathOf(section)}.{member.Member.Name}",
        MemberExpression member => member.Member.Name,
        _ => throw new ArgumentException($"{body} is no property of the configuration."),
    };

    /// <summary>All keys for the methods that are registered.</summary>
    private sealed record Known(IReadOnlyList<MethodInfo> Methods, IReadOnlyList<ConfigKey> Keys);

    private static string KeyOf(PropertyInfo section) => JsonNamingPolicy.SnakeCaseLower.ConvertName(section.Name);
}
