namespace Rpat.Engine.Autograd;

/// <summary>
/// Places every value and gradient of a tape in one arena. A buffer occupies memory from the step that first writes it to the step that
/// last reads it (forward steps 0…n−1, backward steps n…2n−1), and buffers with disjoint lifetimes share memory. The same holds for packed
/// weights, unless the tape keeps them from run to run: then they live from the first step to the last.
/// </summary>
internal sealed class MemoryPlan
{
    private const long Alignment = 64; // words: 256 bytes

    private readonly List<Slot> _slots = [];
    private readonly Dictionary<Tensor, Slot> _data = [];
    private readonly Dictionary<Tensor, Slot> _grad = [];
    private readonly HashSet<Tensor> _written = [];
    private readonly HashSet<Tensor> _derived = [];
    private readonly Dictionary<Tensor, Tensor> _shares = []; // gradients in the memory of another's
    private readonly Dictionary<Tensor, int> _changed = []; // and in which step that is added to

    /// <summary>Words of arena that the plan needs.</summary>
    public long Length { get; private set; }

    /// <summary>Nodes that take part in the backward pass, in the order in which they run.</summary>
    public List<Node> Backward { get; } = [];

    public static MemoryPlan Make(IReadOnlyList<Node> nodes, IReadOnlySet<Tensor> kept, bool keepDerivedWeights)
    {
        var plan = new MemoryPlan();
        int end = 2 * nodes.Count;
        for (int i = 0; i < nodes.Count; i++) plan.PlaceForward(nodes[i], i, kept, end);
        for (int i = nodes.Count - 1; i >= 0; i--) plan.PlaceBackward(nodes[i], end - 1 - i);
        foreach (var storage in plan._derived.Where(_ => keepDerivedWeights)) plan._data[storage].Live(0, end);
        plan.AssignOffsets();
        return plan;
    }

    /// <summary>Gives every planned tensor its range of the arena.</summary>
    public void Bind(Arena arena)
    {
        foreach (var (tensor, slot) in _data)
            (tensor.Data, tensor.DataLostAt) = (arena.View(slot.Offset, tensor.StorageLength), slot.LostAt);
        foreach (var (tensor, slot) in _grad)
            (tensor.Grad, tensor.GradLostAt) = (arena.View(slot.Offset, tensor.StorageLength),
                Math.Min(slot.LostAt, _changed.GetValueOrDefault(tensor, int.MaxValue)));
    }

    private void PlaceForward(Node node, int step, IReadOnlySet<Tensor> kept, int end)
    {
        foreach (var output in node.Outputs)
            if (output.View is null && !output.IsPersistent)
                _data[output] = Add(output, step, kept.Contains(output) ? end : step);
        foreach (var edge in node.Inputs) Use(edge, step);
        Place(node.ForwardWeights, step);
    }

    private void Place(IEnumerable<PackedWeight> weights, int step)
    {
        foreach (var storage in weights.Select(w => w.Storage))
            if (_derived.Add(storage)) _data[storage] = Add(storage, step, step);
            else Extend(_data, storage, step);
    }

    private void Use(Edge edge, int step)
    {
        foreach (var tensor in edge.Reads) Extend(_data, tensor, step);
    }

    private void PlaceBackward(Node node, int step)
    {
        bool reached = node.StartsBackward || node.Outputs.Any(_grad.ContainsKey);
        if (!reached || !node.NeedsGrad) return;
        Backward.Add(node);
        foreach (var saved in node.Saved) Extend(_data, saved, step);
        foreach (var output in node.Outputs) Extend(_grad, output, step);
        Place(node.BackwardWeights, step);
        foreach (var edge in node.Inputs)
            if (edge.Target is { } target) WriteGradient(node, edge, target, step);
    }

    private void WriteGradient(Node node, Edge edge, Tensor target, int step)
    {
        bool first = _written.Add(target);
        edge.Accumulate = !first;
        if (edge.Through is not null) Use(edge, step);
        if (target.IsPersistent) return;
        if (first)
        {
            edge.SharesOutputGrad = MayShare(node, edge, target);
            _grad[target] = edge.SharesOutputGrad ? _grad[_shares[target] = node.Outputs[0]] : Add(target, step, step);
            return;
        }
        Extend(_grad, target, step);
        for (var at = target; _shares.TryGetValue(at, out var output); at = output) _changed.TryAdd(output, step);
    }

    private bool MayShare(Node node, Edge edge, Tensor target) =>
        ReferenceEquals(node.PassThrough, edge) && edge.Through is null && _grad.ContainsKey(node.Outputs[0])
        && target.Layout == node.Outputs[0].Layout && node.Inputs.Count(e => e.Target == target) == 1;

    private Slot Add(Tensor tensor, int start, int end)
    {
        var slot = new Slot((tensor.StorageLength + Alignment - 1) / Alignment * Alignment, start, end);
        _slots.Add(slot);
        return slot;
    }

    private static void Extend(Dictionary<Tensor, Slot> slots, Tensor tensor, int step)
    {
        if (slots.TryGetValue(tensor, out var slot)) slot.Live(slot.Start, Math.Max(slot.End, step));
    }

    /// <summary>Largest first, each at the lowest offset that is free during its whole lifetime.</summary>
    private void AssignOffsets()
    {
        var placed = new List<Slot>();
        foreach (var slot in _slots.OrderByDescending(s => s.Length).ThenBy(s => s.Start))
        {
            slot.Offset = LowestFree(slot, placed);
            foreach (var other in placed.Where(slot.Overlaps)) Slot.Lose(slot, other);
            placed.Add(slot);
            Length = Math.Max(Length, slot.Offset + slot.Length);
        }
    }

    private static long LowestFree(Slot slot, List<Slot> placed)
    {
        long offset = 0;
        foreach (var other in placed.Where(o => o.Start <= slot.End && slot.Start <= o.End).OrderBy(o => o.Offset))
        {
            if (offset + slot.Length <= other.Offset) break;
            offset = Math.Max(offset, other.Offset + other.Length);
        }
        return offset;
    }

    private sealed class Slot(long length, int start, int end)
    {
        public long Length { get; } = length;
        public int Start { get; private set; } = start;
        public int End { get; private set; } = end;
        public long Offset { get; set; }

        /// <summary>The first step after whose start others have the memory.</summary>
        public int LostAt { get; private set; } = int.MaxValue;

        public void Live(int from, int to) => (Start, End) = (from, to);

        public bool Overlaps(Slot other) => Offset < other.Offset + other.Length && other.Offset < Offset + Length;

        /// <summary>Of two that share memory one is written after the other.</summary>
        public static void Lose(Slot a, Slot b)
        {
            var (first, second) = a.Start < b.Start ? (a, b) : (b, a);
            first.LostAt = Math.Min(first.LostAt, second.Start);
        }
    }
}
