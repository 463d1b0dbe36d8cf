using System.Reflection;
using System.Reflection.Emit;

namespace Rpat.Tests.Samples;

/// <summary>Assemblies whose classes derive from given ones and declare themselves.</summary>
internal static class Emitted
{
    /// <summary>An attribute with these arguments of its constructor.</summary>
    public static CustomAttributeBuilder Attribute<T>(params string[] arguments) =>
        new(typeof(T).GetConstructor([.. arguments.Select(_ => typeof(string))])!, [.. arguments]);

    /// <summary>An attribute with these properties too.</summary>
    public static CustomAttributeBuilder Attribute<T>(string[] arguments, params (string Name, object Value)[] properties) => new(
        typeof(T).GetConstructor([.. arguments.Select(_ => typeof(string))])!, [.. arguments],
        [.. properties.Select(p => typeof(T).GetProperty(p.Name)!)], [.. properties.Select(p => p.Value)]);

    /// <summary>An assembly in memory.</summary>
    public static Assembly Assembly(string name, params (string Name, Type Base, CustomAttributeBuilder Attribute)[] types)
    {
        var assembly = AssemblyBuilder.DefineDynamicAssembly(new AssemblyName(name), AssemblyBuilderAccess.Run);
        Define(assembly.DefineDynamicModule(name), types);
        return assembly;
    }

    /// <summary>An assembly in a file.</summary>
    public static void Write(string path, params (string Name, Type Base, CustomAttributeBuilder Attribute)[] types)
    {
        var assembly = new PersistedAssemblyBuilder(new AssemblyName(Path.GetFileNameWithoutExtension(path)), typeof(object).Assembly);
        Define(assembly.DefineDynamicModule("Plugin"), types);
        assembly.Save(path);
    }

    private static void Define(ModuleBuilder module, (string Name, Type Base, CustomAttributeBuilder Attribute)[] types)
    {
        foreach (var (name, ancestor, attribute) in types)
        {
            var type = module.DefineType(name, TypeAttributes.Public | TypeAttributes.Class, ancestor);
            if (name.Contains('`')) type.DefineGenericParameters("T");
            type.SetCustomAttribute(attribute);
            type.DefineDefaultConstructor(MethodAttributes.Public);
            type.CreateType();
        }
    }
}
