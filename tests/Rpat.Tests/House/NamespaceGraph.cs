using System.Reflection;
using System.Reflection.Emit;

namespace Rpat.Tests.House;

/// <summary>
/// Which namespaces of an assembly need which others, read from the compiled types: bases, fields, signatures, attributes and what the
/// bodies of methods name. Constants are copied by the compiler and leave no trace.
/// </summary>
internal sealed class NamespaceGraph
{
    private const BindingFlags All =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<short, OpCode> _codes = typeof(OpCodes).GetFields()
        .Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value);

    private readonly Assembly _assembly;
    private readonly Dictionary<string, Dictionary<string, string>> _edges = [];

    public NamespaceGraph(Assembly assembly, string root = "Rpat.")
    {
        _assembly = assembly;
        foreach (var type in assembly.GetTypes().Where(type => type.Namespace?.StartsWith(root, StringComparison.Ordinal) == true))
            foreach (var needed in Needs(type).SelectMany(Parts).Distinct()) Add(type, needed);
    }

    /// <summary>The edges of each circle of namespaces.</summary>
    public IEnumerable<string> Circles() =>
        from source in _edges.Keys.Order(StringComparer.Ordinal)
        from edge in _edges[source].OrderBy(edge => edge.Key, StringComparer.Ordinal)
        where Reaches(edge.Key, source)
        select $"{source} -> {edge.Key} ({edge.Value})";

    private void Add(Type from, Type to)
    {
        if (to.Assembly != _assembly || to.Namespace is not { } needed || needed == from.Namespace) return;
        if (!_edges.TryGetValue(from.Namespace!, out var edges)) _edges[from.Namespace!] = edges = [];
        edges.TryAdd(needed, $"{from.Name} needs {to.Name}");
    }

    private bool Reaches(string from, string to)
    {
        var seen = new HashSet<string> { from };
        var open = new Queue<string>(seen);
        while (open.TryDequeue(out string? at))
            foreach (string next in _edges.GetValueOrDefault(at)?.Keys ?? Enumerable.Empty<string>())
                if (seen.Add(next)) open.Enqueue(next);
        return seen.Contains(to);
    }

    private static IEnumerable<Type?> Needs(Type type) =>
    [
        type.BaseType, .. type.GetInterfaces(), .. Attributes(type), .. type.GetGenericArguments().SelectMany(Constraints),
        .. type.GetFields(All).SelectMany(field => Attributes(field).Prepend(field.FieldType)),
        .. type.GetProperties(All).SelectMany(Attributes),
        .. type.GetMethods(All).SelectMany(method =>
        Signature(method).Append(method.ReturnType).Concat(method.GetGenericArguments().SelectMany(Constraints))),
        .. type.GetConstructors(All).SelectMany(Signature),
    ];

    private static IEnumerable<Type?> Signature(MethodBase method) =>
        [.. method.GetParameters().Select(parameter => parameter.ParameterType), .. Attributes(method), .. Body(method)];

    private static IEnumerable<Type> Constraints(Type argument) =>
        argument.IsGenericParameter ? argument.GetGenericParameterConstraints() : [argument];

    private static IEnumerable<Type?> Attributes(MemberInfo member) => member.GetCustomAttributesData().SelectMany(attribute =>
        attribute.ConstructorArguments.Select(argument => argument.Value as Type).Append(attribute.AttributeType));

    private static IEnumerable<Type?> Body(MethodBase method)
    {
        if (method.GetMethodBody() is not { } body || body.GetILAsByteArray() is not { } code) return [];
        return
        [
            .. body.LocalVariables.Select(local => local.LocalType),
            .. body.ExceptionHandlingClauses.Where(clause => clause.Flags == ExceptionHandlingClauseOptions.Clause)
            .Select(clause => clause.CatchType),
            .. Tokens(code).SelectMany(token => Named(method, token)),
        ];
    }

    /// <summary>The tokens of types and members in a method's code.</summary>
    private static IEnumerable<int> Tokens(byte[] code)
    {
        for (int at = 0; at < code.Length;)
        {
            short value = code[at++];
            if (value == 0xFE) value = unchecked((short)(0xFE00 | code[at++]));
            var operand = _codes[value].OperandType;
            if (operand is OperandType.InlineType or OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineTok)
                yield return BitConverter.ToInt32(code, at);
            at += Length(operand, code, at);
        }
    }

    private static int Length(OperandType operand, byte[] code, int at) => operand switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        OperandType.InlineSwitch => 4 + 4 * BitConverter.ToInt32(code, at),
        _ => 4,
    };

    private static IEnumerable<Type?> Named(MethodBase method, int token)
    {
        var ofType = method.DeclaringType!.GetGenericArguments();
        var ofMethod = method is MethodInfo ? method.GetGenericArguments() : [];
        return method.Module.ResolveMember(token, ofType, ofMethod) switch
        {
            Type type => [type],
            MethodInfo called => [called.DeclaringType, .. called.GetGenericArguments()],
            { } member => [member.DeclaringType],
            null => [],
        };
    }

    /// <summary>A type without its arrays, pointers and references, and the arguments of a generic one.</summary>
    private static IEnumerable<Type> Parts(Type? type)
    {
        if (type is null || type.IsGenericParameter) return [];
        if (type.HasElementType) return Parts(type.GetElementType());
        if (type.IsFunctionPointer)
            return type.GetFunctionPointerParameterTypes().Append(type.GetFunctionPointerReturnType()).SelectMany(Parts);
        return type.IsConstructedGenericType ? type.GetGenericArguments().SelectMany(Parts).Prepend(type.GetGenericTypeDefinition())
            : [type];
    }
}
