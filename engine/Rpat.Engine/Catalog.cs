using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace Rpat.Engine;

/// <summary>Something that is asked for by its name.</summary>
public interface INamed
{
    /// <summary>The name.</summary>
    string Name { get; }
}

/// <summary>
/// Says of a class what it adds to which catalog: the base of the attributes that declare a method, an attack, a network or a data set.
/// </summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public abstract class DeclarationAttribute : Attribute
{
    /// <summary>Where it belongs.</summary>
    public abstract Catalog Catalog { get; }

    /// <summary>What the class stands for, of the kind that the catalog holds.</summary>
    /// <exception cref="ArgumentException">The class is not what the attribute asks for; the sentence says what it lacks.</exception>
    public abstract IEnumerable<INamed> Items(Type type);
}

/// <summary>The names of one kind of thing: the library's own, and those that other assemblies declare.</summary>
public abstract class Catalog
{
    private static readonly Lock _lock = new();
    private static readonly HashSet<Assembly> _registered = [];

    /// <summary>What a message calls one of them, with its article.</summary>
    protected abstract string Kind { get; }

    /// <summary>
    /// Adds everything that the classes of an assembly declare, to all catalogs or, where it throws, to
    /// none; to add an assembly twice does nothing.
    /// </summary>
    /// <exception cref="ArgumentException">A name is taken, or a class is not what its attribute asks for.</exception>
    [RequiresUnreferencedCode("The classes are found by their attributes.")]
    public static void Register(Assembly assembly)
    {
        lock (_lock)
        {
            if (_registered.Contains(assembly)) return;
            var found = Declarations(assembly).SelectMany(
                d => d.Declaration.Items(d.Type).Select(item => (d.Declaration.Catalog, Item: item))).ToList();
            var names = new HashSet<(Catalog, string)>();
            foreach (var (catalog, item) in found)
                if (catalog.Has(item.Name) || !names.Add((catalog, item.Name)))
                    throw new ArgumentException(
                        $"{assembly.GetName().Name} has {catalog.Kind} '{item.Name}', and there is one already: give it another name.");
            foreach (var (catalog, item) in found) catalog.Add(item);
            _registered.Add(assembly);
        }
    }

    /// <summary>What the classes of an assembly declare of one kind.</summary>
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
        where type is { IsClass: true, IsGenericTypeDefinition: false }
        from declaration in type.GetCustomAttributes<DeclarationAttribute>(inherit: false)
        select (declaration, type);
}

/// <summary>The things of one kind by name.</summary>
/// <param name="kind">What a message calls one of them, with its article.</param>
/// <param name="own">The library's own, in the order in which they are shown.</param>
/// <param name="understood">Names that are understood next to those of the items, such as families of them; null for none.</param>
public sealed class Catalog<T>(string kind, IEnumerable<T> own, Predicate<string>? understood = null) : Catalog where T : class, INamed
{
    /// <summary>All of them; another list once something was added.</summary>
    public IReadOnlyList<T> All { get; private set; } = [.. own];

    /// <inheritdoc/>
    protected override string Kind => kind;

    /// <summary>The one of that name, or null.</summary>
    public T? Find(string name) => All.FirstOrDefault(item => item.Name == name);

    /// <inheritdoc/>
    protected override bool Has(string name) => Find(name) is not null || understood?.Invoke(name) == true;

    /// <inheritdoc/>
    protected override void Add(INamed item) => All = [.. All, (T)item];
}
