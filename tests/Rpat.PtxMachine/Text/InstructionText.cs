using System.Text.RegularExpressions;

namespace Rpat.PtxMachine.Text;

/// <summary>The words of an instruction: <c>@!guard operation operands</c>.</summary>
internal sealed partial record InstructionText(int Line, string Text, string? Guard, bool Negated, string Operation, string[] Operands)
{
    private static readonly char[] s_open = ['{', '[', '('], s_close = ['}', ']', ')'];

    public string Root => Operation.Split('.')[0];

    public string[] Parts => Operation.Split('.');

    public static InstructionText Parse(Statement statement)
    {
        var match = Pattern().Match(statement.Text);
        string guard = match.Groups["guard"].Value;
        return new InstructionText(statement.Line, statement.Text, guard.Length > 0 ? guard : null, match.Groups["not"].Success,
            match.Groups["operation"].Value, [.. Split(match.Groups["rest"].Value)]);
    }

    /// <summary>The operands of a vector in braces, or the operand itself.</summary>
    public static string[] Elements(string operand) =>
        operand.StartsWith('{') ? [.. operand.Trim('{', '}').Split(',').Select(part => part.Trim())] : [operand];

    private static IEnumerable<string> Split(string operands)
    {
        int depth = 0, start = 0;
        for (int at = 0; at < operands.Length; at++)
        {
            if (s_open.Contains(operands[at])) depth++;
            else if (s_close.Contains(operands[at])) depth--;
            else if (operands[at] == ',' && depth == 0)
            {
                yield return operands[start..at].Trim();
                start = at + 1;
            }
        }
        if (operands.AsSpan(start).Trim().Length > 0) yield return operands[start..].Trim();
    }

    [GeneratedRegex(@"^(@(?<not>!)?(?<guard>[\w$%]+)\s+)?(?<operation>[\w.:]*)\s*(?<rest>.*)$", RegexOptions.Singleline)]
    private static partial Regex Pattern();
}
