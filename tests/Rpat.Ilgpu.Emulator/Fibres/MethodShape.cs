using System.Reflection;
using System.Reflection.Emit;

namespace Rpat.Ilgpu.Emulator.Fibres;

/// <summary>An argument or a local variable of a translated method, with its place in the frame.</summary>
internal sealed class Variable(Type type, bool isArgument)
{
    public Type Type { get; } = type;

    public bool IsArgument { get; } = isArgument;

    /// <summary>Whether its address is taken: it then lives in the frame at all times, else in a local that is saved for a sleep.</summary>
    public bool InFrame { get; set; }

    public int Offset { get; set; }
}

/// <summary>What an instruction does with a variable.</summary>
internal enum UseKind
{
    Load,
    Store,
    Address,
}

/// <summary>
/// A method's instructions, variables and frame. A frame is native memory: the state (which sleep to wake from), the returned
/// value, the arguments, the locals, and the evaluation stack below the sleeping call.
/// </summary>
internal sealed class MethodShape
{
    private const int ReturnOffset = 16;
    private readonly List<Variable> _arguments = [];
    private readonly List<Variable> _locals = [];

    public MethodShape(MethodBase method)
    {
        Method = method;
        Returns = method is MethodInfo info ? info.ReturnType : typeof(void);
        Body = Instruction.Read(method);
        if (!method.IsStatic) _arguments.Add(new Variable(This(method.DeclaringType!), true));
        _arguments.AddRange(method.GetParameters().Select(p => new Variable(p.ParameterType, true)));
        _locals.AddRange(method.GetMethodBody()!.LocalVariables.Select(l => new Variable(l.LocalType, false)));
        foreach (var instruction in Body)
            if (Use(instruction) is { Kind: UseKind.Address } use) use.Variable.InFrame = true;
        PlaceVariables();
    }

    public MethodBase Method { get; }

    public Type Returns { get; }

    public IReadOnlyList<Instruction> Body { get; }

    public IReadOnlyList<Variable> Arguments => _arguments;

    public IEnumerable<Variable> Variables => _arguments.Concat(_locals);

    /// <summary>Bytes up to the saved evaluation stack.</summary>
    public int FixedBytes { get; private set; }

    /// <summary>Where the locals begin; they are zeroed on entry.</summary>
    public int LocalsOffset { get; private set; }

    public static int ReturnSlot => ReturnOffset;

    /// <summary>The variable that an instruction uses, or null.</summary>
    public (Variable Variable, UseKind Kind)? Use(Instruction instruction)
    {
        string name = instruction.Code.Name!;
        var list = name.Contains("arg", StringComparison.Ordinal) ? _arguments : name.Contains("loc", StringComparison.Ordinal) ? _locals : null;
        if (list is null || name is "localloc" or "arglist") return null;
        int number = instruction.Operand as int? ?? name[^1] - '0';
        var kind = name.StartsWith("st", StringComparison.Ordinal) ? UseKind.Store
            : name.StartsWith("ldarga", StringComparison.Ordinal) || name.StartsWith("ldloca", StringComparison.Ordinal) ? UseKind.Address
            : UseKind.Load;
        return (list[number], kind);
    }

    private static Type This(Type type) => type.IsValueType ? type.MakeByRefType() : type;

    private void PlaceVariables()
    {
        int at = ReturnOffset + (Returns == typeof(void) ? 0 : Slots.Size(Returns));
        foreach (var argument in _arguments) at = Place(argument, at);
        LocalsOffset = at;
        foreach (var local in _locals) at = Place(local, at);
        FixedBytes = at;
    }

    private static int Place(Variable variable, int at)
    {
        variable.Offset = at;
        return at + Slots.Size(variable.Type);
    }
}

/// <summary>Sizes of values in frames.</summary>
internal static class Slots
{
    private static readonly MethodInfo s_sizeOf = typeof(System.Runtime.CompilerServices.Unsafe).GetMethod("SizeOf")!;

    /// <summary>Bytes that a value takes in a frame: a multiple of 16.</summary>
    public static int Size(Type type)
    {
        if (type.IsByRef || type.IsPointer) return Execution.Arguments.Slot(IntPtr.Size);
        if (!type.IsValueType)
            throw new EmulatorException($"A kernel keeps a managed object of type {type.Name} in a variable, which no GPU can do.");
        return Execution.Arguments.Slot((int)s_sizeOf.MakeGenericMethod(type).Invoke(null, null)!);
    }
}
