using System.Text.RegularExpressions;
using Rpat.PtxMachine.Text;

namespace Rpat.PtxMachine;

/// <summary>Something in a text that should not be there.</summary>
/// <param name="Line">Line of the text, from 1 on.</param>
public sealed record PtxFinding(int Line, string Text, string Why);

/// <summary>A whole division or remainder in a loop, which costs some twenty instructions each time.</summary>
/// <param name="Loop">Label of the innermost loop around it.</param>
public sealed record PtxLoopDivision(int Line, string Text, string Loop);

/// <summary>Reads texts without running them. It takes also what the machine refuses.</summary>
public static partial class PtxAudit
{
    private const string Local = "local memory lies behind the caches", Function = "a function is called instead of inlined";

    private static readonly string[] s_spaces = ["global", "shared", "shared::cta", "param", "const"];

    /// <summary>
    /// What nothing of ours should emit: constants that are denormal, and operations that are slow, cannot be linked or stop a kernel.
    /// </summary>
    /// <exception cref="PtxTextException">A statement does not end.</exception>
    public static IReadOnlyList<PtxFinding> Forbidden(string name, string text) =>
        [.. from statement in Reader.Read(name, text)
            from why in Reasons(statement)
            select new PtxFinding(statement.Line, statement.Text, why)];

    /// <summary>The divisions and remainders of whole numbers that lie in loops.</summary>
    /// <exception cref="PtxTextException">A statement does not end.</exception>
    public static IReadOnlyList<PtxLoopDivision> LoopDivisions(string name, string text)
    {
        var code = new LabelledCode(Reader.Read(name, text));
        var loops = code.Loops().OrderBy(loop => loop.Members.Count).ToList();
        return [.. from at in Enumerable.Range(0, code.Instructions.Count)
                   let instruction = code.Instructions[at]
                   where DivisionPattern().IsMatch(instruction.Operation)
                   let loop = loops.Find(loop => loop.Members.Contains(at))
                   where loop.Members is not null
                   select new PtxLoopDivision(instruction.Line, instruction.Text, code.NameOf(loop.Header))];
    }

    private static IEnumerable<string> Reasons(Statement statement)
    {
        var (kind, text) = (statement.Kind, statement.Text);
        foreach (Match constant in ConstantPattern().Matches(text))
            if (IsDenormal(constant.Value))
                yield return $"{constant.Value} is denormal: a compiler took a whole number's bits for a float's";
        if (kind == StatementKind.Directive && LocalPattern().IsMatch(text)) yield return Local;
        if (kind == StatementKind.Entry && text.Contains(".func", StringComparison.Ordinal)) yield return Function;
        if (text.Contains("__nv_", StringComparison.Ordinal)) yield return "a library's function, which nobody links";
        if (kind == StatementKind.Instruction && Reason(InstructionText.Parse(statement).Operation) is { } why) yield return why;
        if (kind == StatementKind.Instruction && ClockPattern().IsMatch(text)) yield return "a clock makes results differ from run to run";
    }

    private static bool IsDenormal(string constant)
    {
        ulong bits = ulong.Parse(constant.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        return constant[1] is 'f' or 'F'
            ? float.IsSubnormal(BitConverter.UInt32BitsToSingle((uint)bits))
            : double.IsSubnormal(BitConverter.UInt64BitsToDouble(bits));
    }

    private static string? Reason(string operation)
    {
        string[] parts = operation.Split('.');
        return parts[0] switch
        {
            "call" => Function,
            "ld" or "st" or "atom" or "red" when parts.Contains("local") => Local,
            "ld" or "st" or "atom" or "red" when !parts.Any(s_spaces.Contains) => "the compiler did not find out the address space",
            "copysign" => "the sign comes from the first operand, in C# from the second",
            "trap" or "brkpt" => "it stops the kernel",
            "alloca" or "stacksave" or "stackrestore" => "the stack lies in local memory",
            _ => null,
        };
    }

    [GeneratedRegex(@"\b0[fF][0-9A-Fa-f]{8}\b|\b0[dD][0-9A-Fa-f]{16}\b")]
    private static partial Regex ConstantPattern();

    [GeneratedRegex(@"^(\.extern )?\.local\b")]
    private static partial Regex LocalPattern();

    [GeneratedRegex(@"%(globaltimer|clock)")]
    private static partial Regex ClockPattern();

    [GeneratedRegex(@"^(div|rem)\.[su](16|32|64)$")]
    private static partial Regex DivisionPattern();
}
