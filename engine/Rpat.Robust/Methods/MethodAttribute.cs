using System.Reflection;
using Rpat.Robust.Settings;

namespace Rpat.Robust.Methods;

/// <summary>
/// Gives a training method its name: the catalog finds every <see cref="Objective"/> that has one. Its properties are its settings.
/// </summary>
/// <param name="name">Name in configurations.</param>
/// <param name="about">What it is, in one line.</param>
/// <param name="source">Paper, and where its definition is documented.</param>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class MethodAttribute(string name, string about, string source) : DeclarationAttribute, INamed
{
    /// <inheritdoc/>
    public override Catalog Catalog => MethodCatalog.Catalog;

    /// <summary>Name in configurations.</summary>
    public string Name { get; } = name;

    /// <summary>What it is, in one line.</summary>
    public string About { get; } = about;

    /// <summary>Paper, and where its definition is documented.</summary>
    public string Source { get; } = source;

    /// <summary>Which attack (a letter of methods.md 2.1), on which loss.</summary>
    public required string Attack { get; init; }

    /// <summary>Loss terms with their coefficients.</summary>
    public required string Terms { get; init; }

    /// <summary>Targets of the logits.</summary>
    public string Target { get; init; } = "true class";

    /// <summary>Sample weights.</summary>
    public string Weights { get; init; } = "1";

    /// <summary>Auxiliary models in addition to the trained one.</summary>
    public string Nets { get; init; } = "none";

    /// <summary>Other components.</summary>
    public string Extra { get; init; } = "none";

    /// <summary>Where it differs from the paper or the official code, and why.</summary>
    public string Departs { get; init; } = "";

    /// <summary>Modifiers that belong to it; their types have parameterless constructors.</summary>
    public Type[] Modifiers { get; init; } = [];

    /// <inheritdoc/>
    public override IEnumerable<INamed> Items(Type type)
    {
        Func<object[], Objective>? withAttack = Maker<Objective>(type, typeof(PgdOptions)), alone = Maker<Objective>(type);
        if (withAttack is null && alone is null)
            throw new ArgumentException($"{type} is declared as method '{Name}': derive it from {nameof(Objective)}, with a public "
                + "constructor (PgdOptions) or one without parameters.");
        Func<object[], Modifier>[] makers = [.. Modifiers.Select(modifier => Maker<Modifier>(modifier) ?? throw new ArgumentException(
            $"{type} has the modifier {modifier}: derive that from {nameof(Modifier)}, with a public constructor without parameters."))];
        return [new MethodInfo(this, pgd => withAttack?.Invoke([pgd]) ?? alone!([]), () => [.. makers.Select(make => make([]))],
            [.. type.GetCustomAttributes<NoteAttribute>()])];
    }
}

/// <summary>Marks a class whose static property <c>Methods</c> lists methods: named combinations of a base and modifiers.</summary>
public sealed class CombinationsAttribute : DeclarationAttribute
{
    /// <inheritdoc/>
    public override Catalog Catalog => MethodCatalog.Catalog;

    /// <inheritdoc/>
    public override IEnumerable<INamed> Items(Type type) =>
        type.GetProperty("Methods", BindingFlags.Public | BindingFlags.Static)?.GetValue(null) as IReadOnlyList<MethodInfo>
        ?? throw new ArgumentException($"{type} is declared as combinations: give it a public static property Methods that lists them.");
}

/// <summary>Gives the default of one of a method's settings another source than its declaration.</summary>
/// <param name="source">Where its default comes from.</param>
[AttributeUsage(AttributeTargets.Class, Inherited = false, AllowMultiple = true)]
public sealed class NoteAttribute(string setting, string source) : Attribute
{
    /// <summary>Whether the default is assumed.</summary>
    public bool Uncertain { get; init; }

    /// <summary>A setting, with this source if it is the one referred to.</summary>
    internal Setting On(Setting declared) => declared.Name == setting ? declared.From(source, Uncertain) : declared;
}
