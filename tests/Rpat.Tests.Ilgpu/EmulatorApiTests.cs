extern alias emulator;

using System.Globalization;
using System.Reflection;

namespace Rpat.Tests.Ilgpu;

/// <summary>Whatever a kernel or the host can call in the emulator must be there in ILGPU, with the same signature.</summary>
public class EmulatorApiTests
{
    private const BindingFlags Public = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static;

    [Fact]
    public void TheEmulatorOffersNothingThatIlgpuLacks()
    {
        var emulated = typeof(emulator::ILGPU.Context).Assembly.GetExportedTypes().Where(t => t.Namespace!.StartsWith("ILGPU", StringComparison.Ordinal));
        string[] missing = [.. emulated.SelectMany(Missing)];
        Assert.True(missing.Length == 0, string.Join('\n', missing));
    }

    private static IEnumerable<string> Missing(Type emulated)
    {
        var real = typeof(global::ILGPU.Context).Assembly.GetType(emulated.FullName!);
        if (real is null) return [emulated.FullName!];
        var known = Signatures(real, Public | BindingFlags.FlattenHierarchy).ToHashSet();
        foreach (var type in real.GetInterfaces()) known.UnionWith(Signatures(type, Public));
        return Signatures(emulated, Public | BindingFlags.DeclaredOnly).Where(s => !known.Contains(s)).Select(s => $"{emulated.FullName}: {s}");
    }

    private static IEnumerable<string> Signatures(Type type, BindingFlags flags)
    {
        foreach (var field in type.GetFields(flags)) yield return $"{Name(field.FieldType)} {field.Name}{Constant(field)}";
        foreach (var method in type.GetMethods(flags))
            yield return $"{(method.IsStatic ? "static " : "")}{Name(method.ReturnType)} {method.Name}{Generic(method)}({Parameters(method)})";
        foreach (var constructor in type.GetConstructors(flags)) yield return $"new({Parameters(constructor)})";
    }

    private static string Parameters(MethodBase method) =>
        string.Join(", ", method.GetParameters().Select(p => (p.IsOut ? "out " : "") + Name(p.ParameterType)));

    private static string Constant(FieldInfo field) => field.IsLiteral ? $" = {Convert.ToString(field.GetRawConstantValue(), CultureInfo.InvariantCulture)}" : "";

    private static string Generic(MethodInfo method) => method.IsGenericMethod ? $"<{method.GetGenericArguments().Length}>" : "";

    // Type parameters by their place, since their names do not matter to callers.
    private static string Name(Type type)
    {
        if (type.IsByRef) return Name(type.GetElementType()!) + "&";
        if (type.IsArray) return Name(type.GetElementType()!) + "[]";
        if (type.IsGenericParameter) return (type.DeclaringMethod is null ? "!" : "!!") + type.GenericParameterPosition;
        if (!type.IsGenericType) return type.FullName ?? type.Name;
        return $"{type.Namespace}.{type.Name}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>";
    }
}
