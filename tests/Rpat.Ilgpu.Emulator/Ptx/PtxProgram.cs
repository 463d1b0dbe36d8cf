using System.Collections.Concurrent;
using System.Globalization;

namespace Rpat.Ilgpu.Emulator.Ptx;

/// <summary>What an operand of an instruction is.</summary>
internal enum PtxKind
{
    Register,
    Argument,
    Immediate,
    Symbol,
}

/// <summary>A scalar operand. <c>Value</c> is a register's slot, an argument's number or an immediate's bits.</summary>
internal readonly record struct PtxScalar(PtxKind Kind, ulong Value, string Text);

/// <summary>An operand as written: one scalar, the several of a vector, or an address with its offset in bytes.</summary>
internal sealed record PtxArgument(PtxScalar[] Parts, bool IsAddress, long Offset);

/// <summary>One instruction.</summary>
internal sealed record PtxInstruction(string Name, PtxArgument[] Arguments)
{
    /// <summary>What it does; looked up once.</summary>
    public PtxOperation Operation { get; } = PtxOperations.Find(Name);
}

/// <summary>The instructions of one string of inline assembly.</summary>
internal sealed class PtxProgram
{
    private static readonly ConcurrentDictionary<string, PtxProgram> s_programs = [];
    private static readonly ConcurrentDictionary<string, int> s_slots = [];
    private static int s_nextSlot;

    private PtxProgram(string text)
    {
        foreach (string statement in Statements(text)) Add(statement);
    }

    public List<PtxInstruction> Instructions { get; } = [];

    /// <summary>The program of a string, parsed once.</summary>
    public static PtxProgram Of(string text) => s_programs.GetOrAdd(text, static key => new PtxProgram(key));

    /// <summary>The number under which a register's value is kept.</summary>
    public static int Slot(string register) => s_slots.GetOrAdd(register, static _ => Interlocked.Increment(ref s_nextSlot) - 1);

    // A brace that begins a statement opens or closes a scope; one within it is a vector.
    private static IEnumerable<string> Statements(string text) =>
        text.Split(';').Select(part => part.Trim().TrimStart('{', '}', ' ', '\n', '\t').Trim()).Where(part => part.Length > 0);

    private void Add(string statement)
    {
        int space = statement.IndexOfAny([' ', '\t']);
        string name = space < 0 ? statement : statement[..space];
        string rest = space < 0 ? "" : statement[space..].Trim();
        if (name == ".reg") Declare(rest);
        else Instructions.Add(new PtxInstruction(name, [.. Split(rest).Select(Parse)]));
    }

    private void Declare(string rest)
    {
        string names = rest[rest.IndexOf(' ', StringComparison.Ordinal)..];
        foreach (string name in names.Split(',', StringSplitOptions.TrimEntries)) Instructions.Add(new PtxInstruction(".reg", Registers(name)));
    }

    // acc<4> declares acc0 to acc3.
    private static PtxArgument[] Registers(string name)
    {
        int open = name.IndexOf('<', StringComparison.Ordinal);
        if (open < 0) return [Parse(name)];
        int count = int.Parse(name[(open + 1)..^1], CultureInfo.InvariantCulture);
        return [.. Enumerable.Range(0, count).Select(i => Parse(string.Create(CultureInfo.InvariantCulture, $"{name[..open]}{i}")))];
    }

    private static IEnumerable<string> Split(string operands)
    {
        int depth = 0, from = 0;
        for (int i = 0; i < operands.Length; i++)
        {
            if (operands[i] is '{' or '[') depth++;
            else if (operands[i] is '}' or ']') depth--;
            else if (operands[i] == ',' && depth == 0)
            {
                yield return operands[from..i].Trim();
                from = i + 1;
            }
        }
        if (from < operands.Length) yield return operands[from..].Trim();
    }

    private static PtxArgument Parse(string text)
    {
        if (text[0] == '{') return new PtxArgument([.. text[1..^1].Split(',', StringSplitOptions.TrimEntries).Select(Scalar)], false, 0);
        if (text[0] != '[') return new PtxArgument([Scalar(text)], false, 0);
        string inner = text[1..^1];
        int plus = inner.LastIndexOfAny(['+', '-']);
        long offset = plus < 0 ? 0 : long.Parse(inner[plus..].Replace(" ", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
        return new PtxArgument([Scalar((plus < 0 ? inner : inner[..plus]).Trim())], true, offset);
    }

    private static PtxScalar Scalar(string text)
    {
        if (text[0] == '%') return new PtxScalar(PtxKind.Argument, ulong.Parse(text[1..], CultureInfo.InvariantCulture), text);
        if (text.StartsWith("0f", StringComparison.OrdinalIgnoreCase)) return new PtxScalar(PtxKind.Immediate, Convert.ToUInt32(text[2..], 16), text);
        if (text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)) return new PtxScalar(PtxKind.Immediate, Convert.ToUInt64(text[2..], 16), text);
        if (char.IsDigit(text[0]) || text[0] == '-')
            return new PtxScalar(PtxKind.Immediate, unchecked((ulong)long.Parse(text, CultureInfo.InvariantCulture)), text);
        if (text.StartsWith("__", StringComparison.Ordinal)) return new PtxScalar(PtxKind.Symbol, 0, text);
        return new PtxScalar(PtxKind.Register, (ulong)Slot(text), text);
    }
}
