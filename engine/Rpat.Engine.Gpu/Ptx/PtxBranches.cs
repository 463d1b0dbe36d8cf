using System.Text.RegularExpressions;

namespace Rpat.Engine.Gpu.Ptx;

/// <summary>
/// Looks for branches that the compiler marks as taken by all threads of a warp alike (PTX ISA, "bra.uni") although their condition is
/// computed from a thread's number or from what threads exchange. Follows values only, not which side of an earlier branch a thread took;
/// what is read at an address that all threads share is the same for all.
/// </summary>
internal static partial class PtxBranches
{
    /// <summary>How many there are in a module.</summary>
    public static int CountMismarked(string text)
    {
        var steps = Steps(text).ToList();
        HashSet<string> own = [];
        while (steps.Count(step => step.Spread(own)) > 0)
        {
            // Loops carry values back to registers that were looked at before.
        }
        return UniformPattern().Matches(text).Count(branch => own.Contains(branch.Groups["guard"].Value));
    }

    private static IEnumerable<Step> Steps(string text)
    {
        foreach (Match line in StepPattern().Matches(text))
        {
            string operation = line.Groups["operation"].Value, from = line.Groups["guard"].Value + line.Groups["from"].Value;
            bool source = operation.StartsWith("shfl", StringComparison.Ordinal) || operation.StartsWith("atom", StringComparison.Ordinal)
                || ThreadPattern().IsMatch(from);
            yield return new Step(Registers(line.Groups["to"].Value), Registers(from), source);
        }
    }

    private static string[] Registers(string operands) => [.. RegisterPattern().Matches(operands).Select(match => match.Value)];

    /// <summary>An instruction: the registers that it writes and reads, and whether threads differ
    /// in its result whatever it reads.</summary>
    private readonly record struct Step(string[] To, string[] From, bool Source)
    {
        /// <summary>Adds what threads have of their own because of this instruction; whether that is news.</summary>
        public bool Spread(HashSet<string> own)
        {
            if (!Source && !From.Any(own.Contains)) return false;
            int before = own.Count;
            own.UnionWith(To);
            return own.Count > before;
        }
    }

    [GeneratedRegex(@"^\s*@!?(?<guard>%p\d+)\s+bra\.uni\b", RegexOptions.Multiline)]
    private static partial Regex UniformPattern();

    // What writes registers; stores, barriers, branches and inline assembly do not.
    [GeneratedRegex(@"^\s*(@!?(?<guard>%p\d+)\s+)?(?<operation>(?!st\.|red\.|bar\.|bra\b|ret\b|cp\.|mma\.)[a-z][\w.]*)\s+(?<to>\{[^}]*\}|[^,;{]+),(?<from>[^;]*);", RegexOptions.Multiline)]
    private static partial Regex StepPattern();

    [GeneratedRegex(@"%[a-z]+\d+")]
    private static partial Regex RegisterPattern();

    [GeneratedRegex("%(tid|laneid)")]
    private static partial Regex ThreadPattern();
}
