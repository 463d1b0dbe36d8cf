using System.Text.RegularExpressions;

namespace Rpat.Trainer.Bench;

/// <summary>
/// The main loop of a matrix kernel, estimated from its PTX text. A scheduler issues one instruction per cycle, so a step takes at least as
/// many cycles as issue slots, whatever the memory does. Against what NVIDIA's assembler makes of these texts, the estimate is off by 6 % or
/// less, but for weight gradients on tensor cores and pixels that are copied, a quarter too large, and layers of few channels, a fifth too
/// small.
/// </summary>
/// <param name="Slots">Issue slots of a warp, along the longest way through the loop, which is about what an interior tile takes.</param>
/// <param name="Products">Products on tensor cores, or multiply-adds where there are none.</param>
/// <param name="Flops">Operations of all 32 threads.</param>
/// <param name="Bytes">Bytes that all 32 threads load from global memory.</param>
internal sealed partial record PtxLoop(double Slots, int Products, double Flops, double Bytes)
{
    private const int Repeats = 4; // of an inner loop over the reduction

    /// <summary>Products that slots are stated for: 32 on tensor cores, 512 multiply-adds.</summary>
    public int Unit => OnTensorCores ? 32 : 512;

    /// <summary>Slots per <see cref="Unit"/>.</summary>
    public double SlotsPerUnit => Slots * Unit / Products;

    public double BytesPerFlop => Bytes / Flops;

    private bool OnTensorCores { get; init; }

    /// <summary>GPUs, with a scheduler's cycles per product on tensor cores and per multiply-add of a warp.</summary>
    public static IReadOnlyList<(string Name, int Product, int MultiplyAdd)> Gpus { get; } =
        [("A100", 8, 2), ("H100", 4, 1), ("RTX 4090", 32, 1), ("RTX 5090", 32, 1)];

    /// <summary>The share of a GPU's peak that the slots allow.</summary>
    public double Bound((string Name, int Product, int MultiplyAdd) gpu) =>
        Math.Min(1, Products * (OnTensorCores ? gpu.Product : gpu.MultiplyAdd) / Slots);

    /// <summary>The loop of a text, or null if it has none.</summary>
    public static PtxLoop? Of(string text)
    {
        var flow = new Flow(text);
        var loops = flow.Loops();
        var main = loops.Where(loop => flow.Count(loop.Blocks, IsBarrier) > 0 && flow.Count(loop.Blocks, IsProduct) >= 16)
            .OrderBy(loop => loop.Blocks.Count).FirstOrDefault();
        if (main.Blocks is null) return null;
        var inner = loops.Where(loop => loop.Blocks.IsProperSubsetOf(main.Blocks) && flow.Count(loop.Blocks, IsProduct) >= 64);
        HashSet<int> repeated = [.. inner.SelectMany(loop => loop.Blocks)];
        var steps = flow.LongestWay(main.Head, main.Blocks, block => repeated.Contains(block) ? Repeats : 1);
        var onTensorCores = steps.Any(step => step.StartsWith("mma", StringComparison.Ordinal));
        var products = steps.Where(step => onTensorCores ? step.StartsWith("mma", StringComparison.Ordinal) : IsProduct(step)).ToList();
        double flops = products.Sum(FlopsOf), bytes = 32 * steps.Sum(BytesOf);
        return new PtxLoop(SlotsOf(steps), products.Count, flops, bytes) { OnTensorCores = onTensorCores };
    }

    private static bool IsBarrier(string step) => step.StartsWith("bar", StringComparison.Ordinal);

    private static bool IsProduct(string step) => ProductPattern().IsMatch(step);

    /// <summary>Products are contracted with the sums that follow, of floats and of whole numbers.</summary>
    private static double SlotsOf(List<string> steps)
    {
        int Count(string prefix) => steps.Count(step => step.StartsWith(prefix, StringComparison.Ordinal));
        int floats = Math.Min(Count("mul.f32"), Count("add.f32")), whole = Math.Min(Count("mul.lo"), Count("add.s32") + Count("add.u32"));
        return steps.Sum(Weight) - floats - whole;
    }

    private static double Weight(string step) => DivisionPattern().IsMatch(step) ? 18
        : FreePattern().IsMatch(step) ? 0
        : step.StartsWith("cvt.rna.tf32", StringComparison.Ordinal) ? 3
        : 1;

    private static double FlopsOf(string step)
    {
        var shape = ShapePattern().Match(step);
        return shape.Success ? 2 * 16 * 8 * int.Parse(shape.Groups[1].Value, CultureInfo.InvariantCulture) : 2 * 32;
    }

    private static double BytesOf(string step)
    {
        if (step.StartsWith("cp.async.c", StringComparison.Ordinal)) return 16;
        var load = LoadPattern().Match(step);
        if (!load.Success) return 0;
        int count = load.Groups[1].Success ? int.Parse(load.Groups[1].Value, CultureInfo.InvariantCulture) : 1;
        return count * int.Parse(load.Groups[2].Value, CultureInfo.InvariantCulture) / 8;
    }

    [GeneratedRegex(@"^(mma|fma\.rn\.f32|mad\.rn\.f32|mul\.f32)")]
    private static partial Regex ProductPattern();

    [GeneratedRegex(@"^(rem|div)\.[su]")]
    private static partial Regex DivisionPattern();

    // Moves between virtual registers, and what becomes part of another instruction.
    [GeneratedRegex(@"^(mov|cvta|and\.pred|or\.pred|not\.pred|cvt\.u64|cvt\.s64|bra)")]
    private static partial Regex FreePattern();

    [GeneratedRegex(@"\.m16n8k(\d+)\.")]
    private static partial Regex ShapePattern();

    [GeneratedRegex(@"^ld\.global\.(?:v(\d)\.)?[bfsu](\d+)")]
    private static partial Regex LoadPattern();

    /// <summary>The basic blocks of a text; instructions of inline assembly count like others.</summary>
    private sealed partial class Flow
    {
        private readonly List<List<string>> _blocks = [[]];
        private readonly List<List<int>> _after = [];
        private readonly HashSet<(int From, int To)> _back = [];

        public Flow(string text)
        {
            var labels = new Dictionary<string, int>();
            var targets = new Dictionary<int, (string Label, bool Always)>();
            foreach (string line in text.Split('\n'))
            {
                if (LabelPattern().Match(line) is { Success: true } label)
                {
                    labels[label.Groups[1].Value] = _blocks.Count;
                    _blocks.Add([]);
                    continue;
                }
                foreach (string step in Steps(line))
                {
                    _blocks[^1].Add(step);
                    if (BranchPattern().Match(step) is not { Success: true } branch) continue;
                    targets[_blocks.Count - 1] = (branch.Groups["to"].Value, !branch.Groups["guard"].Success);
                    _blocks.Add([]);
                }
            }
            for (int at = 0; at < _blocks.Count; at++)
            {
                bool branches = targets.TryGetValue(at, out var to), ends = (branches && to.Always) || _blocks[at] is [.., "ret"];
                int[] taken = branches ? [labels[to.Label]] : [], next = !ends && at + 1 < _blocks.Count ? [at + 1] : [];
                _after.Add([.. taken, .. next]);
            }
            for (int at = 0; at < _blocks.Count; at++) _blocks[at] = [.. _blocks[at].Select(step => GuardPattern().Replace(step, ""))];
            FindBackEdges();
        }

        public int Count(IEnumerable<int> blocks, Func<string, bool> what) => blocks.Sum(block => _blocks[block].Count(what));

        /// <summary>Natural loops.</summary>
        public List<(int Head, HashSet<int> Blocks)> Loops()
        {
            var before = Enumerable.Range(0, _blocks.Count).Select(_ => new List<int>()).ToList();
            for (int from = 0; from < _after.Count; from++)
                foreach (int to in _after[from]) before[to].Add(from);
            return [.. _back.Select(edge => (edge.To, Loop(edge, before)))];
        }

        /// <summary>The instructions of the longest way through a loop, those of some blocks several times.</summary>
        public List<string> LongestWay(int head, HashSet<int> loop, Func<int, int> times)
        {
            var best = new Dictionary<int, (double Slots, int Next)>();
            Longest(head);
            List<string> steps = [];
            for (int at = head; at >= 0; at = best[at].Next)
                for (int time = 0; time < times(at); time++) steps.AddRange(_blocks[at]);
            return steps;

            double Longest(int at)
            {
                if (best.TryGetValue(at, out var known)) return known.Slots;
                var ahead = _after[at].Where(to => loop.Contains(to) && !_back.Contains((at, to))).Select(to => (Longest(to), to))
                    .DefaultIfEmpty((0, -1)).Max();
                best[at] = (times(at) * _blocks[at].Sum(Weight) + ahead.Item1, ahead.Item2);
                return best[at].Slots;
            }
        }

        private static HashSet<int> Loop((int From, int To) edge, List<List<int>> before)
        {
            HashSet<int> loop = [edge.To];
            var work = new Stack<int>([edge.From]);
            while (work.TryPop(out int at))
                if (loop.Add(at))
                    foreach (int from in before[at]) work.Push(from);
            return loop;
        }

        private void FindBackEdges()
        {
            var state = new int[_blocks.Count]; // 1 while on the way from the entry, then 2
            Visit(0);

            void Visit(int at)
            {
                state[at] = 1;
                foreach (int to in _after[at])
                {
                    if (state[to] == 1) _back.Add((at, to));
                    else if (state[to] == 0) Visit(to);
                }
                state[at] = 2;
            }
        }

        private static IEnumerable<string> Steps(string line)
        {
            string trimmed = line.TrimStart();
            if (SkippedPattern().IsMatch(trimmed)) yield break;
            foreach (string part in trimmed.Split(';'))
            {
                string step = BracePattern().Replace(part.Trim(), "").Trim();
                if (step.Length > 0 && step[0] is not ('{' or '}' or '.')) yield return step;
            }
        }

        [GeneratedRegex(@"^(//|\.|ld\.param)")]
        private static partial Regex SkippedPattern();

        [GeneratedRegex(@"^\s*([$A-Za-z_][\w$]*):\s*$")]
        private static partial Regex LabelPattern();

        [GeneratedRegex(@"^(?<guard>@!?%p\d+\s+)?bra(\.uni)?\s+(?<to>[$A-Za-z_][\w$]*)")]
        private static partial Regex BranchPattern();

        [GeneratedRegex(@"^@!?%?\w+\s+")]
        private static partial Regex GuardPattern();

        // The braces of inline assembly, not those of vectors.
        [GeneratedRegex(@"^[{}]\s*(?=\.reg|$)")]
        private static partial Regex BracePattern();
    }
}
