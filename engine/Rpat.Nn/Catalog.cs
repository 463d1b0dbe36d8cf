using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace Rpat.Nn;

/// <summary>Anything that can be looked up by name.</summary>
public interface INamed
{
    /// <summary>The name.</summary>
    string Name { get; }
}

/// <summary>Declares what a class adds to which catalog: the base of the attributes for methods, attacks, networks and data sets.</summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public abstract class DeclarationAttribute : Attribute
{
    /// <summary>The catalog that the items belong to.</summary>
    public abstract Catalog Catalog { get; }

    /// <summary>The items that the class declares, of the catalog's type.</summary>
    /// <exception cref="ArgumentException">The class does not meet the attribute's requirements; the message says what is
    /// missing.</exception>
    public abstract IEnumerable<INamed> Items(Type type);

    /// <summary>
    /// What calls the public constructor of a class with these parameters, whose exceptions come through as they are; null if the class is
    /// no <typeparamref name="T"/>, is abstract, or has no such constructor.
    /// </summary>
    [UnconditionalSuppressMessage("Trimming", "IL2070", Justification = "Catalog.Register, which finds the type, needs all of it.")]
    protected static Func<object[], T>? Maker<T>(Type type, params Type[] parameters) where T : class =>
        typeof(T).IsAssignableFrom(type) && !type.IsAbstract && type.GetConstructor(parameters) is { } make
            ? given => (T)make.Invoke(BindingFlags.DoNotWrapExceptions, null, given, null) : null;
}

/// <summary>The names of one kind of item: the library's own, and those that other assemblies declare.</summary>
public abstract class Catalog
{
    private static readonly Lock _lock = new();
    private static readonly Dictionary<Assembly, int> _registered = [];

    /// <summary>The assemblies that have been registered.</summary>
    public static IReadOnlyCollection<Assembly> Registered
    {
        get
        {
            lock (_lock) return [.. _registered.Keys];
        }
    }

    /// <summary>The kind of an item in messages, with its article.</summary>
    protected abstract string Kind { get; }

    /// <summary>
    /// Adds all items that the classes of an assembly declare, to all catalogs or, if it throws, to none; adding an assembly twice has no
    /// effect.
    /// </summary>
    /// <param name="means">The known item that people mean by an item's name, however they spell it, if there is one: the name is taken
    /// then too.</param>
    /// <returns>How many items it declares.</returns>
    /// <exception cref="ArgumentException">A name is taken or is none, a class does not meet its attribute's requirements, or its code
    /// throws.</exception>
    [RequiresUnreferencedCode("The classes are found by their attributes.")]
    public static int Register(Assembly assembly, Func<INamed, string?>? means = null)
    {
        ArgumentNullException.ThrowIfNull(assembly);
        lock (_lock)
        {
            if (_registered.TryGetValue(assembly, out int known)) return known;
            var found = Found(assembly);
            var names = new HashSet<(Catalog, string)>();
            foreach (var (catalog, item) in found)
            {
                string? taken = catalog.Has(item.Name) || !names.Add((catalog, item.Name)) ? item.Name : means?.Invoke(item);
                if (taken is not null)
                    throw new ArgumentException($"{assembly.GetName().Name} has {catalog.Kind} '{item.Name}', and there is "
                        + $"{(taken == item.Name ? "one" : $"'{taken}', which is typed so too,")} already: give it another name.");
            }
            foreach (var (catalog, item) in found) catalog.Add(item);
            return _registered[assembly] = found.Count;
        }
    }

    [RequiresUnreferencedCode("The classes are found by their attributes.")]
    private static List<(Catalog Catalog, INamed Item)> Found(Assembly assembly)
    {
        try
        {
            RequireArguments(assembly);
            var found = Declarations(assembly).SelectMany(
                d => d.Declaration.Items(d.Type).Select(item => (d.Declaration.Catalog, Item: item, d.Type))).ToList();
            foreach (var (catalog, item, type) in found)
                if (item?.Name is not { } name || !IsName(name))
                    throw new ArgumentException(item is null ? $"{type} lists null instead of {catalog.Kind}."
                        : $"{type} declares {catalog.Kind} with the name '{item.Name}': give it one of letters, digits and the characters "
                        + ". _ + - :.");
            return [.. found.Select(one => (one.Catalog, one.Item))];
        }
        catch (Exception error) when (PluginFailure.Of(error, assembly) is { } sentence)
        {
            throw new ArgumentException(sentence, error);
        }
    }

    // Null is a valid argument of an attribute to the compiler.
    [RequiresUnreferencedCode("The classes are found by their attributes.")]
    private static void RequireArguments(Assembly assembly)
    {
        foreach (var type in assembly.GetTypes())
            foreach (var member in type.GetProperties().Prepend<MemberInfo>(type))
                foreach (var data in member.GetCustomAttributesData().Where(data => data.AttributeType.Namespace?.StartsWith("Rpat.",
                    StringComparison.Ordinal) == true))
                    if (Nulls(data).FirstOrDefault() is { } name)
                        throw new ArgumentException($"{type} has null as {name} in [{data.AttributeType.Name.Replace("Attribute", "")}]: "
                            + "give a text, which may be empty.");
    }

    private static IEnumerable<string?> Nulls(CustomAttributeData data) =>
        from argument in data.Constructor.GetParameters().Zip(data.ConstructorArguments, (parameter, value) => (parameter.Name, Value: value))
            .Concat(data.NamedArguments.Select(named => (Name: (string?)named.MemberName, Value: named.TypedValue)))
        where argument.Value.Value is null && argument.Value.ArgumentType == typeof(string)
        select argument.Name;

    private static bool IsName(string text) =>
        text.Length > 0 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '+' or '-' or ':');

    /// <summary>The items of one kind that the classes of an assembly declare.</summary>
    [RequiresUnreferencedCode("The classes are found by their attributes.")]
    public static IEnumerable<T> Declared<T>(Assembly assembly) where T : INamed =>
        Declarations(assembly).SelectMany(d => d.Declaration.Items(d.Type)).OfType<T>();

    /// <summary>Whether a name is taken.</summary>
    protected abstract bool Has(string name);

    /// <summary>Adds an item of the catalog's kind.</summary>
    protected abstract void Add(INamed item);

    [RequiresUnreferencedCode("The classes are found by their attributes.")]
    private static IEnumerable<(DeclarationAttribute Declaration, Type Type)> Declarations(Assembly assembly) =>
        from type in assembly.GetTypes()
        where type.IsClass
        from declaration in type.GetCustomAttributes<DeclarationAttribute>(inherit: false)
        select type.IsGenericTypeDefinition
            ? throw new ArgumentException($"{type} is generic, and a declaration is of one class: declare one that derives from it.")
            : (declaration, type);
}

/// <summary>The items of one kind, by name.</summary>
/// <param name="kind">The kind of an item in messages, with its article.</param>
/// <param name="own">The library's own items, in display order.</param>
/// <param name="understood">Matches names that are valid in addition to those of the items, such as families of names; null for
/// none.</param>
public sealed class Catalog<T>(string kind, IEnumerable<T> own, Predicate<string>? understood = null) : Catalog where T : class, INamed
{
    /// <summary>All items; adding one replaces the list.</summary>
    public IReadOnlyList<T> All { get; private set; } = [.. own];

    /// <inheritdoc/>
    protected override string Kind => kind;

    /// <summary>The item of that name, or null.</summary>
    public T? Find(string name) => All.FirstOrDefault(item => item.Name == name);

    /// <inheritdoc/>
    protected override bool Has(string name) => Find(name) is not null || understood?.Invoke(name) == true;

    /// <inheritdoc/>
    protected override void Add(INamed item) => All = [.. All, (T)item];
}
