using System.Reflection;
using System.Text.RegularExpressions;

namespace Rpat.Tests.Support;

/// <summary>What an assembly offers to others, one line a type or member, sorted.</summary>
internal static partial class PublicSurface
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    public static IReadOnlyList<string> Of(Assembly assembly) =>
        [
            .. assembly.GetExportedTypes().SelectMany(Lines).Where(line => !line.Contains("<M>$", StringComparison.Ordinal))
                .Select(line => ExtensionBlock().Replace(line, "extension")).Distinct().Order(StringComparer.Ordinal),
        ];

    // The compiler's name of an extension block is a digest of what it extends.
    [GeneratedRegex(@"<G>\$[0-9A-F]+")]
    private static partial Regex ExtensionBlock();

    private static IEnumerable<string> Lines(Type type)
    {
        string name = Name(type);
        yield return $"{name} : {Kind(type)}{Bases(type)}";
        if (typeof(Delegate).IsAssignableFrom(type)) yield break;
        foreach (var member in type.GetMembers(Declared)
            .Where(member => !member.IsDefined(typeof(CompilerGeneratedAttribute)) && IsOffered(member)))
            if (Signature(member) is { } signature) yield return $"{name}.{signature}";
    }

    private static string Kind(Type type) => type switch
    {
        _ when typeof(Delegate).IsAssignableFrom(
            type) => $"delegate {Name(type.GetMethod("Invoke")!.ReturnType)} {Parameters(type.GetMethod("Invoke")!)}",
        { IsEnum: true } => "enum",
        { IsInterface: true } => "interface",
        { IsValueType: true } => "struct",
        { IsAbstract: true, IsSealed: true } => "static class",
        { IsAbstract: true } => "abstract class",
        { IsSealed: true } => "sealed class",
        _ => "class",
    };

    private static string Bases(Type type)
    {
        if (type.IsEnum || typeof(Delegate).IsAssignableFrom(type)) return "";
        var inherited = type.BaseType?.GetInterfaces() ?? [];
        var interfaces = type.GetInterfaces().Where(i => i.IsVisible && !inherited.Contains(i)).Select(Name).Order(StringComparer.Ordinal);
        var ancestor = type.BaseType is { } b && b != typeof(object) && b != typeof(ValueType) ? [Name(b)] : Array.Empty<string>();
        string bases = string.Join(", ", ancestor.Concat(interfaces));
        return bases.Length == 0 ? "" : " < " + bases;
    }

    private static bool IsOffered(MemberInfo member) => member switch
    {
        MethodBase method => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly,
        FieldInfo field => field.IsPublic || field.IsFamily || field.IsFamilyOrAssembly,
        PropertyInfo property => property.GetAccessors(nonPublic: true).Any(IsOffered),
        EventInfo @event => IsOffered(@event.AddMethod!),
        Type nested => nested.IsNestedFamily || nested.IsNestedFamORAssem,
        _ => false,
    };

    private static string? Signature(MemberInfo member) => member switch
    {
        ConstructorInfo constructor => $"new{Parameters(constructor)}",
        MethodInfo { IsSpecialName: true } method when !method.Name.StartsWith("op_", StringComparison.Ordinal) => null,
        MethodInfo method => $"{method.Name}{Arguments(method)}{Parameters(method)} : {Name(method.ReturnType)}{Modifiers(method)}",
        FieldInfo { IsSpecialName: false } field => $"{field.Name} : {Name(field.FieldType)}",
        PropertyInfo property => $"{property.Name} {{ {Accessors(property)} }} : "
            + $"{Name(property.PropertyType)}{Modifiers(property.GetAccessors(nonPublic: true).First(IsOffered))}",
        EventInfo @event => $"{@event.Name} : event {Name(@event.EventHandlerType!)}",
        Type nested => $"{nested.Name} : protected {Kind(nested)}",
        _ => null,
    };

    private static string Accessors(PropertyInfo property)
    {
        bool inits = property.SetMethod?.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) == true;
        string[] accessors = [property.GetMethod is { } get && IsOffered(get) ? "get" : "",
            property.SetMethod is { } set && IsOffered(set) ? inits ? "init" : "set" : ""];
        return string.Join(' ', accessors.Where(accessor => accessor.Length > 0));
    }

    private static string Modifiers(MethodBase method) =>
        (method.IsStatic ? " static" : "") + (method.IsPublic ? "" : " protected")
        + (method.DeclaringType!.IsInterface || !method.IsVirtual || method.IsFinal ? ""
        : method.IsAbstract ? " abstract" : Overrides(method) ? " override" : " virtual");

    private static bool Overrides(MethodBase method) => method is MethodInfo info && info.GetBaseDefinition() != info;

    private static string Arguments(MethodInfo method) =>
        method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(a => a.Name))}>" : "";

    private static string Parameters(MethodBase method) =>
        $"({string.Join(", ", method.GetParameters().Select(p => $"{(p.IsOut ? "out " : p.IsIn ? "in " : p.ParameterType.IsByRef ? "ref " : "")}{Name(p.ParameterType)} {p.Name}{(p.HasDefaultValue ? " = " + (p.DefaultValue ?? "null") : "")}"))})";

    private static string Name(Type type)
    {
        if (type.IsByRef) return Name(type.GetElementType()!);
        if (type.IsArray) return Name(type.GetElementType()!) + "[]";
        if (type.IsGenericParameter) return type.Name;
        if (Nullable.GetUnderlyingType(type) is { } underlying) return Name(underlying) + "?";
        string name = type.IsNested ? $"{Name(type.DeclaringType!)}.{type.Name}"
            : type.Namespace?.StartsWith("Rpat", StringComparison.Ordinal) == true ? $"{type.Namespace}.{type.Name}" : type.Name;
        return type.IsGenericType ? $"{name.Split('`')[0]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>" : name;
    }
}
