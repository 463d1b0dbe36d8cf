using System.Text.RegularExpressions;

namespace Rpat.Engine.Gpu.Ptx;

/// <summary>
/// Finds branches that the compiler marks as uniform across a warp (PTX ISA, "bra.uni") although their condition depends on a thread's
/// index or on values that threads exchange. Tracks values only, not which side of an earlier branch a thread took; a load from an address
/// that all threads share counts as uniform.
/// </summary>
internal static partial class PtxBranches
{
    /// <summary>The number of such branches in a module.</summary>
    public static int CountMismarked(string text)
    {
        var steps = Steps(text).ToList();
        HashSet<string> own = [];
        while (steps.Count(step => step.Spread(own)) > 0)
        {
            // Repeat: loops carry values back to registers that were visited before.
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

    /// <summary>
    /// An instruction: the registers that it writes and reads, and whether its result differs between threads whatever it reads.
    /// </summary>
    private readonly record struct Step(string[] To, string[] From, bool Source)
    {
        /// <summary>Adds the registers that differ between threads because of this instruction; returns whether any is new.</summary>
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

    // Matches instructions that write registers; stores, barriers, branches and inline assembly do not.
    [GeneratedRegex(@"^\s*(@!?(?<guard>%p\d+)\s+)?(?<operation>(?!st\.|red\.|bar\.|bra\b|ret\b|cp\.|mma\.)[a-z][\w.]*)\s+(?<to>\{[^}]*\}|[^,;{]+),(?<from>[^;]*);", RegexOptions.Multiline)]
    private static partial Regex StepPattern();

    [GeneratedRegex(@"%[a-z]+\d+")]
    private static partial Regex RegisterPattern();

    [GeneratedRegex("%(tid|laneid)")]
    private static partial Regex ThreadPattern();
}
