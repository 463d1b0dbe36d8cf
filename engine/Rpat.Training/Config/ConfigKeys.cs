using System.Collections;
using System.Linq.Expressions;
using System.Reflection;
using System.Text.Json.Nodes;
using Rpat.Robust.Methods;
using Rpat.Robust.Settings;
using MethodInfo = Rpat.Robust.Methods.MethodInfo;

namespace Rpat.Training.Config;

/// <summary>
/// Every key of the configuration, read from the declarations of the sections and the methods. Any other key is unknown.
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
    public static IEnumerable<ConfigKey> Below(string prefix) =>
        _declared.Where(key => key.Path.StartsWith(prefix, StringComparison.Ordinal));

    /// <summary>Makes the typed configuration from one entry per key.</summary>
    /// <exception cref="Errors.ConfigException">A value is not of its key's kind.</exception>
    public static TrainerConfig Bind(IReadOnlyDictionary<string, ConfigValue> values)
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

    // The methods' own settings come after the method's name.
    private static IReadOnlyList<ConfigKey> WithSettings(IReadOnlyList<MethodInfo> methods)
    {
        HashSet<string> taken = [.. Below("method.").Select(key => key.Path.Split('.')[1])];
        if (methods.SelectMany(one => one.Settings.Select(s => (Method: one.Name, s.Name))).FirstOrDefault(s => taken.Contains(s.Name))
            is { Name: { } reserved, Method: { } owner })
            throw new ConfigException($"method {owner} has a setting '{reserved}', which section method has for every method: rename it by "
                + "[Setting(…, Name = \"…\")].");
        int name = _declared.ToList().IndexOf(Of(c => c.Method.Name)) + 1;
        var own = from method in methods
                  from setting in method.Settings
                  group (method.Name, setting) by setting.Name into same
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

/// <summary>
/// One key of the configuration: a declared setting and its place. Values of methods' own settings stay text until the method is made.
/// </summary>
internal sealed class ConfigKey
{
    private readonly IReadOnlyList<PropertyInfo> _sections = [];
    private readonly IReadOnlyList<Setting> _settings;

    /// <summary>A setting of a section.</summary>
    /// <param name="sections">The properties that lead from <see cref="TrainerConfig"/> to its section.</param>
    public ConfigKey(IReadOnlyList<PropertyInfo> sections, string path, Setting setting)
    {
        (_sections, Path, _settings, Default, Doc, IsOptional) = (sections, path, [setting], setting.Default, setting.About,
            setting.IsOptional);
    }

    /// <summary>A setting of that name, of one method or of several, which may mean different things by it.</summary>
    public ConfigKey(string path, IReadOnlyList<(string Method, Setting Setting)> settings)
    {
        var texts = settings.ToLookup(one => one.Setting.About, one => one.Method);
        string doc = string.Join("; ", texts.Select(same => texts.Count == 1 ? same.Key : $"{string.Join(", ", same)}: {same.Key}"));
        (Path, _settings, Default, Doc, IsOptional) =
            (path, [.. settings.Select(one => one.Setting)], "", $"{doc}; empty for the method's own", true);
    }

    /// <summary>The full key, such as <c>attack.eps</c>.</summary>
    public string Path { get; }

    /// <summary>The last part of the key.</summary>
    public string Name => Path[(Path.LastIndexOf('.') + 1)..];

    /// <summary>The built-in default, as text.</summary>
    public string Default { get; }

    /// <summary>What the key is, in one line.</summary>
    public string Doc { get; }

    /// <summary>Whether its default is an empty text that has no effect: such a key is listed only if it is set.</summary>
    public bool IsOptional { get; }

    /// <summary>Whether the key takes a list.</summary>
    public bool IsList => Setting.Kind.IsList;

    /// <summary>Whether it is one of methods' own settings.</summary>
    public bool IsOfMethod => _sections.Count == 0;

    /// <summary>The names that the key takes; null for numbers and texts.</summary>
    public KnownNames? Names => IsOfMethod ? null
        : Setting.Kind is INamesKind named ? named.Known
        : Setting.Kind.Names.Count > 0 ? new KnownNames(Setting.Plural, () => Setting.Kind.Names) : null;

    /// <summary>What is declared.</summary>
    public Setting Setting => _settings[0];

    /// <summary>Parses an entry of this key and puts it into the configuration.</summary>
    /// <exception cref="ConfigException">The text is not such a value; the message says where it is and what is expected.</exception>
    public void Set(TrainerConfig config, ConfigValue entry)
    {
        if (IsOfMethod)
        {
            if (entry.Text.Length > 0) config.Method.Settings.Add(Name, entry.Text);
            return;
        }
        object section = _sections.Aggregate((object)config, (at, property) => property.GetValue(at)!);
        Checked(entry, text => Setting.Set(section, text));
    }

    /// <summary>The same entry, a name in its own spelling; what is no name is left for <see cref="Set"/> to refuse.</summary>
    public ConfigValue Canonical(ConfigValue entry) =>
        entry.Text.Length > 0 && Names?.Match(entry.Text) is { } name && name != entry.Text ? entry with { Text = name } : entry;

    /// <summary>Whether two entries of this key mean the same value, however they are written.</summary>
    /// <exception cref="ConfigException">One of them is not such a value.</exception>
    public bool Same(ConfigValue one, ConfigValue other) => IsOfMethod
        ? one.Text == other.Text || Numbers.TryReal(one.Text, out double x) && Numbers.TryReal(other.Text, out double y) && x == y
        : (Parse(one), Parse(other)) switch
        {
            (string a, string b) => a == b,
            (IEnumerable a, IEnumerable b) => a.Cast<object>().SequenceEqual(b.Cast<object>()),
            var (a, b) => Equals(a, b),
        };

    /// <summary>The key in JSON Schema's words.</summary>
    public JsonObject Schema()
    {
        var kinds = _settings.Select(setting => setting.Kind.Schema()).DistinctBy(kind => kind.ToJsonString()).ToArray();
        var schema = kinds.Length == 1 ? kinds[0] : new JsonObject { ["anyOf"] = new JsonArray([.. kinds]) };
        schema["description"] = Doc;
        schema["default"] = Default;
        return schema;
    }

    private object? Parse(ConfigValue entry)
    {
        object? value = null;
        Checked(entry, text => value = Setting.Kind.Parse(text));
        return value;
    }

    private void Checked(ConfigValue entry, Action<string> read)
    {
        if (entry.IsList && !IsList) throw Wrong(entry, "it wants one value, not a list");
        try
        {
            read(entry.Text);
        }
        catch (FormatException error)
        {
            throw Wrong(entry, Setting.Kind is FlagKind or INamesKind and not MethodKind || Names is not { } names ? error.Message
                : names.Hint(entry.Text, isValue: true));
        }
    }

    private static ConfigException Wrong(ConfigValue entry, string wants) =>
        new($"{entry.Path} is '{entry.Text}' ({entry.Origin}): {wants.TrimEnd('.')}{(wants[^1] is ')' or '?' ? "" : ".")}");
}
