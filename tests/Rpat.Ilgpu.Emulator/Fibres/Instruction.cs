using System.Buffers.Binary;
using System.Reflection;
using System.Reflection.Emit;

namespace Rpat.Ilgpu.Emulator.Fibres;

/// <summary>One instruction of a method body. Branch operands are offsets, tokens are resolved.</summary>
internal sealed record Instruction(int Offset, OpCode Code, object? Operand)
{
    private static readonly Dictionary<short, OpCode> s_codes = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value);

    /// <summary>Offsets that it may jump to.</summary>
    public IEnumerable<int> Targets => Code.OperandType switch
    {
        OperandType.InlineBrTarget or OperandType.ShortInlineBrTarget => [(int)Operand!],
        OperandType.InlineSwitch => (int[])Operand!,
        _ => [],
    };

    /// <summary>Whether the next instruction is never reached from this one.</summary>
    public bool EndsBlock => Code.FlowControl is FlowControl.Branch or FlowControl.Return or FlowControl.Throw;

    /// <summary>Reads a method.</summary>
    public static List<Instruction> Read(MethodBase method)
    {
        byte[] il = method.GetMethodBody()?.GetILAsByteArray() ?? [];
        var result = new List<Instruction>();
        for (int at = 0; at < il.Length;) result.Add(ReadOne(method, il, ref at));
        return result;
    }

    private static Instruction ReadOne(MethodBase method, byte[] il, ref int at)
    {
        int offset = at;
        short value = il[at++];
        if (value == 0xFE) value = (short)(0xFE00 | il[at++]);
        var code = s_codes[value];
        var bytes = il.AsSpan(at);
        at += Length(code, bytes);
        return new Instruction(offset, code, Decode(method, code, bytes, at));
    }

    private static int Length(OpCode code, ReadOnlySpan<byte> bytes) => code.OperandType switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        OperandType.InlineSwitch => 4 + 4 * BinaryPrimitives.ReadInt32LittleEndian(bytes),
        _ => 4,
    };

    private static object? Decode(MethodBase method, OpCode code, ReadOnlySpan<byte> bytes, int next) => code.OperandType switch
    {
        OperandType.InlineNone => null,
        OperandType.ShortInlineBrTarget => next + (sbyte)bytes[0],
        OperandType.ShortInlineI => (sbyte)bytes[0],
        OperandType.ShortInlineVar => (int)bytes[0],
        OperandType.InlineVar => (int)BinaryPrimitives.ReadUInt16LittleEndian(bytes),
        OperandType.InlineBrTarget => next + BinaryPrimitives.ReadInt32LittleEndian(bytes),
        OperandType.InlineI => BinaryPrimitives.ReadInt32LittleEndian(bytes),
        OperandType.InlineI8 => BinaryPrimitives.ReadInt64LittleEndian(bytes),
        OperandType.InlineR => BinaryPrimitives.ReadDoubleLittleEndian(bytes),
        OperandType.ShortInlineR => BinaryPrimitives.ReadSingleLittleEndian(bytes),
        OperandType.InlineSwitch => Switch(bytes, next),
        OperandType.InlineString => method.Module.ResolveString(BinaryPrimitives.ReadInt32LittleEndian(bytes)),
        _ => Resolve(method, BinaryPrimitives.ReadInt32LittleEndian(bytes)),
    };

    private static int[] Switch(ReadOnlySpan<byte> bytes, int next)
    {
        var targets = new int[BinaryPrimitives.ReadInt32LittleEndian(bytes)];
        for (int i = 0; i < targets.Length; i++) targets[i] = next + BinaryPrimitives.ReadInt32LittleEndian(bytes[(4 + 4 * i)..]);
        return targets;
    }

    private static MemberInfo? Resolve(MethodBase method, int token) => method.Module.ResolveMember(
        token, method.DeclaringType?.GetGenericArguments(), method.IsGenericMethod ? method.GetGenericArguments() : null);
}
