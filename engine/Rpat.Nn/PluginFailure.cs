using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace Rpat.Nn;

/// <summary>
/// Thrown if a class of another assembly does not keep to what its base demands, such as an attack that returns nothing. The message names
/// plugin and class.
/// </summary>
/// <param name="what">What the class does, and what to do instead: the rest of a sentence that begins with the class.</param>
public sealed class ContractException(Type type, string what) : InvalidOperationException($"{PluginFailure.Place(type)} {what}")
{
    /// <summary>The sentence while an assembly is registered.</summary>
    internal string Sentence(IEnumerable<Assembly> plugins) =>
        plugins.FirstOrDefault(plugin => plugin.FullName == type.Assembly.FullName)?.GetName().Name is { } name
            ? $"plugin {name}: {type} {what}" : Message;

    /// <summary>What a member of a class gives that may not give null.</summary>
    /// <exception cref="ContractException">It is null.</exception>
    public static T Given<T>(object part, T? value, [CallerArgumentExpression(nameof(value))] string member = "") where T : class =>
        value ?? throw new ContractException(part.GetType(), $"has null as {member[(member.LastIndexOf('.') + 1)..]}: give an empty one "
            + "for none.");
}

/// <summary>Finds the code of a registered assembly that an exception came out of.</summary>
public static class PluginFailure
{
    /// <summary>
    /// Assembly, class and message in one sentence, for an exception that code of a registered assembly threw or did not catch: in a
    /// constructor or a static initializer too, whose exceptions the runtime wraps.
    /// </summary>
    /// <param name="registering">An assembly that counts as registered.</param>
    /// <returns>Null for an exception that passed through no such code.</returns>
    public static string? Of(Exception error, Assembly? registering = null)
    {
        Assembly[] plugins = [.. Catalog.Registered, .. registering is null ? [] : new[] { registering }];
        HashSet<string?> names = [.. plugins.Select(plugin => plugin.FullName)];
        Exception[] chain = [.. Chain(error)];
        Exception cause = chain[^1];
        if (cause is ContractException broken) return broken.Sentence(plugins);
        if (Missing(cause, plugins) is { } missing) return missing;
        Type? type = Enumerable.Reverse(chain).SelectMany(Types).FirstOrDefault(type => names.Contains(type.Assembly.FullName));
        if (type is null) return null;
        string hint = cause is MissingMemberException or TypeLoadException ? "; build it against this version" : "";
        string what = $"{cause.GetType().Name}: {cause.Message.TrimEnd('.')}";
        return $"{Place(Outermost(type), type.Assembly.GetName().Name)} failed with {what}{hint}.";
    }

    /// <summary>Those of some objects whose classes are of registered assemblies, with these; empty if there are none.</summary>
    public static string Parts(IEnumerable<object> parts) => string.Join(", ",
        parts.Select(part => Place(part.GetType())).Where(place => place.StartsWith("plugin ", StringComparison.Ordinal)).Distinct());

    /// <summary>A class in messages, after the plugin that it is of.</summary>
    internal static string Place(Type type) =>
        Place(Outermost(type), Catalog.Registered.FirstOrDefault(plugin => plugin.FullName == type.Assembly.FullName)?.GetName().Name);

    private static string Place(Type type, string? plugin) => plugin is null ? $"{type}" : $"plugin {plugin}: {type}";

    private static IEnumerable<Exception> Chain(Exception error)
    {
        yield return error;
        bool wraps = error is TargetInvocationException or TypeInitializationException or AggregateException;
        if (wraps && error.InnerException is { } inner)
            foreach (Exception one in Chain(inner)) yield return one;
    }

    // The runtime looks for what a plugin refers to only when its code first runs, and names the plugin nowhere.
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "Plugins are for programs that are not trimmed.")]
    private static string? Missing(Exception cause, Assembly[] plugins)
    {
        if (cause is not FileNotFoundException { FileName: { } name } || !name.Contains(", Version=", StringComparison.Ordinal))
            return null;
        string wanted = new AssemblyName(name).Name!;
        Assembly? plugin = plugins.FirstOrDefault(one => one.GetReferencedAssemblies().Any(reference => reference.Name == wanted));
        return plugin is null ? null : $"plugin {plugin.GetName().Name} needs the assembly {wanted}, which is not beside it: copy "
            + $"{wanted}.dll there, or build with CopyLocalLockFileAssemblies.";
    }

    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "Plugins are for programs that are not trimmed.")]
    private static IEnumerable<Type> Types(Exception error) =>
        new StackTrace(error).GetFrames().Select(frame => frame.GetMethod()?.DeclaringType).OfType<Type>();

    private static Type Outermost(Type type)
    {
        while (type.DeclaringType is { } outer && type.Name.Contains('<')) type = outer;
        return type;
    }
}
