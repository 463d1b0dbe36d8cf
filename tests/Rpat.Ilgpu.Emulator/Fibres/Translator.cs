using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using Rpat.Ilgpu.Emulator.Execution;

namespace Rpat.Ilgpu.Emulator.Fibres;

/// <summary>Emits the resumable version of one method.</summary>
internal sealed class Translator
{
    private static readonly MethodInfo s_asRef = typeof(Unsafe).GetMethods()
        .First(m => m.Name == "AsRef" && m.GetParameters()[0].ParameterType == typeof(void*)).MakeGenericMethod(typeof(byte));

    private static readonly MethodInfo s_setSite = typeof(Sites).GetMethod(nameof(Sites.Set))!;
    private static int s_nextSite;

    private readonly MethodShape _shape;
    private readonly StackTypes _stack;
    private readonly DynamicMethod _method;
    private readonly ILGenerator _il;
    private readonly Dictionary<int, Label> _labels = [];
    private readonly Dictionary<Type, LocalBuilder> _temporaries = [];
    private readonly Dictionary<Variable, LocalBuilder> _registers = [];
    private readonly Dictionary<Instruction, MethodBase> _sleeping = [];
    private readonly List<Label> _wakeUps = [];
    private readonly List<FibreCode> _callees = [];
    private readonly LocalBuilder _state;
    private readonly Label _sleep;
    private Type? _constraint;

    public Translator(MethodShape shape)
    {
        (_shape, _stack) = (shape, new StackTypes(shape));
        _method = new DynamicMethod($"{shape.Method.Name}_fibre", typeof(bool), [typeof(byte*)], shape.Method.Module, skipVisibility: true);
        _il = _method.GetILGenerator(4096);
        _state = _il.DeclareLocal(typeof(int));
        _sleep = _il.DefineLabel();
        FindSleepingCalls();
        FrameBytes = shape.FixedBytes + _sleeping.Keys.Select(SavedBytes).Append(0).Max();
        foreach (int target in shape.Body.SelectMany(i => i.Targets)) _labels.TryAdd(target, _il.DefineLabel());
        foreach (var variable in shape.Variables.Where(v => !v.InFrame)) _registers[variable] = _il.DeclareLocal(variable.Type);
    }

    /// <summary>Bytes of the frame.</summary>
    public int FrameBytes { get; }

    /// <summary>The translated methods that it calls.</summary>
    public IReadOnlyList<FibreCode> Callees => _callees;

    public DynamicMethod Emit()
    {
        var entry = _il.DefineLabel();
        var dispatch = _il.DefineLabel();
        _il.Emit(OpCodes.Br, dispatch);
        _il.MarkLabel(entry);
        foreach (var instruction in _shape.Body) EmitInstruction(instruction);
        EmitSleep();
        _il.MarkLabel(dispatch);
        EmitDispatch(entry);
        return _method;
    }

    // State 0 is the start; state n wakes up in the n-th sleeping call.
    private void EmitDispatch(Label entry)
    {
        foreach (var (variable, register) in _registers)
        {
            LoadFrame(variable.Offset, variable.Type);
            _il.Emit(OpCodes.Stloc, register);
        }
        _il.Emit(OpCodes.Ldarg_0);
        _il.Emit(OpCodes.Ldind_I4);
        _il.Emit(OpCodes.Switch, [entry, .. _wakeUps]);
        _il.Emit(OpCodes.Br, entry);
    }

    private void EmitSleep()
    {
        _il.MarkLabel(_sleep);
        foreach (var (variable, register) in _registers)
        {
            _il.Emit(OpCodes.Ldloc, register);
            StoreFrame(variable.Offset, variable.Type);
        }
        _il.Emit(OpCodes.Ldarg_0);
        _il.Emit(OpCodes.Ldloc, _state);
        _il.Emit(OpCodes.Stind_I4);
        _il.Emit(OpCodes.Ldc_I4_1);
        _il.Emit(OpCodes.Ret);
    }

    private void FindSleepingCalls()
    {
        Type? constraint = null;
        foreach (var instruction in _shape.Body)
        {
            if (instruction.Operand is MethodBase called && instruction.Code.FlowControl == FlowControl.Call)
            {
                var target = Suspension.Target(called, constraint);
                if (Suspension.MaySleep(target)) _sleeping[instruction] = target;
            }
            constraint = instruction.Code == OpCodes.Constrained ? (Type)instruction.Operand! : null;
        }
    }

    private void EmitInstruction(Instruction instruction)
    {
        if (_labels.TryGetValue(instruction.Offset, out var label)) _il.MarkLabel(label);
        if (instruction.Code == OpCodes.Constrained) _constraint = (Type)instruction.Operand!;
        else if (_sleeping.TryGetValue(instruction, out var target)) EmitSleepingCall(instruction, target);
        else if (instruction.Code == OpCodes.Ret) EmitReturn();
        else if (_shape.Use(instruction) is { } use) EmitUse(use.Variable, use.Kind);
        else EmitPlain(instruction);
    }

    private void EmitUse(Variable variable, UseKind kind)
    {
        bool register = _registers.TryGetValue(variable, out var local);
        if (kind == UseKind.Address) FrameAddress(variable.Offset);
        else if (register) _il.Emit(kind == UseKind.Load ? OpCodes.Ldloc : OpCodes.Stloc, local!);
        else if (kind == UseKind.Load) LoadFrame(variable.Offset, variable.Type);
        else StoreFrame(variable.Offset, variable.Type);
    }

    private void EmitReturn()
    {
        if (_shape.Returns != typeof(void)) StoreFrame(MethodShape.ReturnSlot, _shape.Returns);
        _il.Emit(OpCodes.Ldc_I4_0);
        _il.Emit(OpCodes.Ret);
    }

    private void EmitPlain(Instruction instruction)
    {
        if (_constraint is { } constraint) _il.Emit(OpCodes.Constrained, constraint);
        _constraint = null;
        switch (instruction.Operand)
        {
            case null: _il.Emit(instruction.Code); break;
            case int when instruction.Targets.Any(): _il.Emit(Long(instruction.Code), _labels[(int)instruction.Operand]); break;
            case int[] targets: _il.Emit(instruction.Code, targets.Select(t => _labels[t]).ToArray()); break;
            case int value: _il.Emit(instruction.Code, value); break;
            case sbyte value: _il.Emit(instruction.Code, value); break;
            case long value: _il.Emit(instruction.Code, value); break;
            case float value: _il.Emit(instruction.Code, value); break;
            case double value: _il.Emit(instruction.Code, value); break;
            case string value: _il.Emit(instruction.Code, value); break;
            case ConstructorInfo constructor: _il.Emit(instruction.Code, constructor); break;
            case MethodInfo method: _il.Emit(instruction.Code, method); break;
            case FieldInfo field: _il.Emit(instruction.Code, field); break;
            case Type type: _il.Emit(instruction.Code, type); break;
            default: throw new EmulatorException($"The emulator cannot translate {instruction.Code} in {_shape.Method.Name}.");
        }
    }

    // Bodies grow, so that short branches might no longer reach.
    private static OpCode Long(OpCode code) => code.OperandType == OperandType.ShortInlineBrTarget
        ? (OpCode)typeof(OpCodes).GetField(code.Name!.Replace(".s", "", StringComparison.Ordinal).Replace('.', '_'),
            BindingFlags.Public | BindingFlags.Static | BindingFlags.IgnoreCase)!.GetValue(null)!
        : code;

    private void EmitSleepingCall(Instruction instruction, MethodBase target)
    {
        _constraint = null;
        var rest = Below(instruction, target);
        if (Suspension.Collective(target) is { } collective) EmitCollective((MethodInfo)target, collective, rest);
        else EmitTranslatedCall(target, rest);
    }

    private void EmitCollective(MethodInfo target, CollectiveAttribute collective, Type[] rest)
    {
        var done = _il.DefineLabel();
        _il.Emit(OpCodes.Ldc_I4, Interlocked.Increment(ref s_nextSite));
        _il.Emit(OpCodes.Call, s_setSite);
        _il.Emit(OpCodes.Call, Half(collective, collective.Begin, target));
        _il.Emit(OpCodes.Brfalse, done);
        FallAsleep(rest);
        WakeUp(rest);
        _il.MarkLabel(done);
        if (collective.End is { } end) _il.Emit(OpCodes.Call, End(collective, end, target));
    }

    private void EmitTranslatedCall(MethodBase target, Type[] rest)
    {
        var code = FibreCode.For(target);
        _callees.Add(code);
        var (call, done) = (_il.DefineLabel(), _il.DefineLabel());
        PassArguments(code);
        _il.MarkLabel(call);
        FrameAddress(FrameBytes);
        _il.Emit(OpCodes.Call, code.Method);
        _il.Emit(OpCodes.Brfalse, done);
        FallAsleep(rest);
        WakeUp(rest);
        _il.Emit(OpCodes.Br, call);
        _il.MarkLabel(done);
        if (code.Shape.Returns != typeof(void)) LoadFrame(FrameBytes + MethodShape.ReturnSlot, code.Shape.Returns);
    }

    // The callee's frame follows this one: state and locals zero, arguments from the stack.
    private void PassArguments(FibreCode code)
    {
        foreach (var argument in code.Shape.Arguments.Reverse()) StoreFrame(FrameBytes + argument.Offset, argument.Type);
        FrameAddress(FrameBytes);
        _il.Emit(OpCodes.Ldc_I4_0);
        _il.Emit(OpCodes.Stind_I4);
        FrameAddress(FrameBytes + code.Shape.LocalsOffset);
        _il.Emit(OpCodes.Ldc_I4_0);
        _il.Emit(OpCodes.Ldc_I4, code.FrameBytes - code.Shape.LocalsOffset);
        _il.Emit(OpCodes.Initblk);
    }

    private void FallAsleep(Type[] rest)
    {
        int at = _shape.FixedBytes + SavedBytes(rest);
        foreach (var type in rest.Reverse()) StoreFrame(at -= Slots.Size(type), type);
        _il.Emit(OpCodes.Ldc_I4, _wakeUps.Count + 1);
        _il.Emit(OpCodes.Stloc, _state);
        _il.Emit(OpCodes.Br, _sleep);
    }

    private void WakeUp(Type[] rest)
    {
        var label = _il.DefineLabel();
        _wakeUps.Add(label);
        _il.MarkLabel(label);
        int at = _shape.FixedBytes;
        foreach (var type in rest)
        {
            LoadFrame(at, type);
            at += Slots.Size(type);
        }
    }

    private Type[] Below(Instruction instruction, MethodBase target) =>
        _stack.Before(instruction)[..^(target.GetParameters().Length + (target.IsStatic ? 0 : 1))];

    private int SavedBytes(Instruction instruction) => SavedBytes(Below(instruction, _sleeping[instruction]));

    private static int SavedBytes(Type[] types) => types.Sum(Slots.Size);

    private static MethodInfo Half(CollectiveAttribute collective, string name, MethodInfo target)
    {
        const BindingFlags Any = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;
        var wanted = target.GetParameters().Select(p => p.ParameterType.IsByRef);
        var half = collective.Type.GetMethods(Any).Single(m => m.Name == name
            && m.GetGenericArguments().Length == target.GetGenericArguments().Length
            && m.GetParameters().Select(p => p.ParameterType.IsByRef).SequenceEqual(wanted));
        return half.IsGenericMethodDefinition ? half.MakeGenericMethod(target.GetGenericArguments()) : half;
    }

    private static MethodInfo End(CollectiveAttribute collective, string name, MethodInfo target)
    {
        const BindingFlags Any = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;
        var end = collective.Type.GetMethod(name, Any) ?? typeof(Shuffles).GetMethod(name, Any)!;
        return end.IsGenericMethodDefinition ? end.MakeGenericMethod(target.GetGenericArguments()) : end;
    }

    private void FrameAddress(int offset)
    {
        _il.Emit(OpCodes.Ldarg_0);
        _il.Emit(OpCodes.Ldc_I4, offset);
        _il.Emit(OpCodes.Add);
    }

    private void LoadFrame(int offset, Type type)
    {
        FrameAddress(offset);
        if (!type.IsByRef)
        {
            _il.Emit(OpCodes.Ldobj, type.IsPointer ? typeof(IntPtr) : type);
            return;
        }
        _il.Emit(OpCodes.Ldind_I);
        _il.Emit(OpCodes.Call, s_asRef);
    }

    private void StoreFrame(int offset, Type type)
    {
        if (type.IsByRef) _il.Emit(OpCodes.Conv_U);
        var stored = type.IsByRef || type.IsPointer ? typeof(IntPtr) : type;
        if (!_temporaries.TryGetValue(stored, out var temporary)) _temporaries[stored] = temporary = _il.DeclareLocal(stored);
        _il.Emit(OpCodes.Stloc, temporary);
        FrameAddress(offset);
        _il.Emit(OpCodes.Ldloc, temporary);
        _il.Emit(OpCodes.Stobj, stored);
    }
}

/// <summary>Notes which call a thread stands in.</summary>
internal static class Sites
{
    public static void Set(int site) => Lane.Current.Site = site;
}
