using System.Reflection;
using System.Reflection.Emit;

namespace Rpat.Ilgpu.Emulator.Fibres;

/// <summary>What lies on the evaluation stack before each instruction of a method: needed to save it where a thread goes to sleep.</summary>
internal sealed class StackTypes
{
    private readonly MethodShape _shape;
    private readonly Dictionary<int, Type[]> _before = [];

    public StackTypes(MethodShape shape)
    {
        _shape = shape;
        Type[]? stack = [];
        foreach (var instruction in shape.Body)
        {
            // C# emits nothing that is reached by backward jumps alone with something on the stack.
            stack = _before.TryGetValue(instruction.Offset, out var known) ? known : stack ?? [];
            _before[instruction.Offset] = stack;
            stack = After(instruction, stack);
            foreach (int target in instruction.Targets) _before.TryAdd(target, stack);
            if (instruction.EndsBlock) stack = null;
        }
    }

    /// <summary>The stack, bottom first.</summary>
    public Type[] Before(Instruction instruction) => _before[instruction.Offset];

    /// <summary>The type as the stack holds it: small integers are int32, pointers are native integers.</summary>
    public static Type OnStack(Type type)
    {
        if (type.IsEnum) type = type.GetEnumUnderlyingType();
        if (type.IsPointer || type == typeof(UIntPtr)) return typeof(IntPtr);
        return Type.GetTypeCode(type) switch
        {
            TypeCode.Boolean or TypeCode.Byte or TypeCode.SByte or TypeCode.Int16 or TypeCode.UInt16 or TypeCode.Char or TypeCode.UInt32 => typeof(int),
            TypeCode.UInt64 => typeof(long),
            _ => type,
        };
    }

    private Type[] After(Instruction instruction, Type[] stack)
    {
        if (instruction.Code == OpCodes.Dup) return [.. stack, stack[^1]];
        var rest = stack.AsSpan(0, stack.Length - Pops(instruction));
        return Pushed(instruction, stack) is { } pushed ? [.. rest, pushed] : rest.ToArray();
    }

    private int Pops(Instruction instruction)
    {
        if (instruction.Operand is MethodBase method && instruction.Code.FlowControl == FlowControl.Call)
            return method.GetParameters().Length + (method.IsStatic || instruction.Code == OpCodes.Newobj ? 0 : 1);
        return instruction.Code.StackBehaviourPop switch
        {
            StackBehaviour.Pop0 => 0,
            StackBehaviour.Pop1 or StackBehaviour.Popi or StackBehaviour.Popref => 1,
            StackBehaviour.Pop1_pop1 or StackBehaviour.Popi_pop1 or StackBehaviour.Popi_popi or StackBehaviour.Popi_popi8
                or StackBehaviour.Popi_popr4 or StackBehaviour.Popi_popr8 or StackBehaviour.Popref_pop1 or StackBehaviour.Popref_popi => 2,
            StackBehaviour.Varpop => _shape.Returns == typeof(void) ? 0 : 1, // ret
            _ => 3,
        };
    }

    private Type? Pushed(Instruction instruction, Type[] stack)
    {
        var code = instruction.Code;
        if (code.FlowControl == FlowControl.Call) return Called((MethodBase)instruction.Operand!, code);
        if (code.StackBehaviourPush == StackBehaviour.Push0) return null;
        if (_shape.Use(instruction) is { } use) return use.Kind == UseKind.Address ? use.Variable.Type.MakeByRefType() : OnStack(use.Variable.Type);
        return instruction.Operand switch
        {
            FieldInfo field when code == OpCodes.Ldflda || code == OpCodes.Ldsflda => field.FieldType.MakeByRefType(),
            FieldInfo field => OnStack(field.FieldType),
            Type type when code == OpCodes.Ldobj || code == OpCodes.Ldelem => OnStack(type),
            Type type when code == OpCodes.Ldelema => type.MakeByRefType(),
            _ => Simple(code, stack),
        };
    }

    private static Type? Called(MethodBase method, OpCode code)
    {
        if (code == OpCodes.Newobj) return method.DeclaringType;
        if (method is not MethodInfo { ReturnType: var type }) return null; // a constructor that calls another
        return type == typeof(void) ? null : type.IsByRef ? type : OnStack(type);
    }

    private static Type Simple(OpCode code, Type[] stack)
    {
        string name = code.Name!;
        if (name is "ldind.i" or "conv.i" or "conv.u" || name.StartsWith("conv.ovf.i.un", StringComparison.Ordinal)) return typeof(IntPtr);
        return code.StackBehaviourPush switch
        {
            StackBehaviour.Pushi => typeof(int),
            StackBehaviour.Pushi8 => typeof(long),
            StackBehaviour.Pushr4 => typeof(float),
            StackBehaviour.Pushr8 => typeof(double),
            StackBehaviour.Pushref => typeof(object),
            _ => code == OpCodes.Neg || code == OpCodes.Not ? stack[^1] : Arithmetic(stack),
        };
    }

    // Address ± offset is an address; everything else has the type of its operands.
    private static Type Arithmetic(Type[] stack)
    {
        var (left, right) = (stack[^2], stack[^1]);
        if (left.IsByRef && right.IsByRef) return typeof(IntPtr);
        if (left.IsByRef || left == typeof(IntPtr)) return left;
        return right.IsByRef || right == typeof(IntPtr) ? right : left;
    }
}
