namespace Rpat.Tests.Autograd;

/// <summary>The values or the gradient of a tensor.</summary>
internal sealed record Place(Tensor Tensor, bool IsGradient)
{
    public DeviceBuffer Buffer => IsGradient ? Tensor.Grad : Tensor.Data;
}

/// <summary>From the step that first writes to the step that last reads.</summary>
internal sealed class Lifetime(int first)
{
    public int First { get; } = first;

    public int Last { get; set; } = first;
}

/// <summary>
/// When each planned buffer of a tape must hold its content, derived from the nodes alone by going through a run step by step:
/// forward steps 0…n−1, backward steps n…2n−1. A second opinion on the memory plan, which it does not look at.
/// </summary>
internal sealed class Lifetimes
{
    private readonly IReadOnlyList<Node> _nodes;
    private readonly bool _keepsWeights;

    public Lifetimes(Tape tape, params Tensor[] kept)
    {
        var nodes = _nodes = tape.Nodes;
        _keepsWeights = !tape.Gradients.HasFlag(Gradients.Parameters);
        for (int i = 0; i < nodes.Count; i++) Forward(nodes[i], i);
        for (int i = 0; i < nodes.Count; i++) Backward(nodes[^(i + 1)], nodes.Count + i);
        foreach (var tensor in kept.Concat(nodes.OfType<LossTerm>().Select(t => t.Values))) Touch(tensor, false, 2 * nodes.Count);
    }

    public Dictionary<Place, Lifetime> All { get; } = [];

    /// <summary>
    /// Two gradients may share memory when a node hands its output's gradient on as it is; then the first dies in the step in which
    /// the second is born.
    /// </summary>
    public bool MayShare(Place a, Place b, int step) => a.IsGradient && b.IsGradient && _nodes.Any(n =>
        n.Inputs.Any(e => e.SharesOutputGrad && Pair(a, b, e.Target!, n.Outputs[0])) && step == BackwardStep(n));

    private int BackwardStep(Node node) => 2 * _nodes.Count - 1 - Enumerable.Range(0, _nodes.Count).First(i => _nodes[i] == node);

    private static bool Pair(Place a, Place b, Tensor one, Tensor other) =>
        (a.Tensor == one && b.Tensor == other) || (a.Tensor == other && b.Tensor == one);

    private void Forward(Node node, int step)
    {
        foreach (var output in node.Outputs.Where(o => o.View is null && !o.IsPersistent))
            All.Add(new Place(output, false), new Lifetime(step));
        foreach (var edge in node.Inputs) Touch(edge.Reads, step);
        foreach (var weight in node.ForwardWeights) Touch(weight, step);
    }

    private void Backward(Node node, int step)
    {
        var arrived = node.Outputs.Where(o => All.ContainsKey(new Place(o, true))).ToArray();
        if (!node.Inputs.Any(e => e.NeedsGrad) || (arrived.Length == 0 && node is not LossTerm)) return;
        Touch(node.Saved, step);
        foreach (var weight in node.BackwardWeights) Touch(weight, step);
        foreach (var output in arrived) Touch(output, true, step);
        foreach (var edge in node.Inputs.Where(e => e.NeedsGrad)) Write(edge, step);
    }

    private void Write(Edge edge, int step)
    {
        if (edge.Through is not null) Touch(edge.Reads, step);
        if (!edge.Target!.IsPersistent && !All.TryAdd(new Place(edge.Target, true), new Lifetime(step))) Touch(edge.Target, true, step);
    }

    private void Touch(PackedWeight weight, int step)
    {
        var place = new Place(weight.Storage, false);
        All.TryAdd(place, new Lifetime(_keepsWeights ? 0 : step));
        All[place].Last = _keepsWeights ? 2 * _nodes.Count : step;
    }

    private void Touch(IEnumerable<Tensor> tensors, int step)
    {
        foreach (var tensor in tensors) Touch(tensor, false, step);
    }

    private void Touch(Tensor tensor, bool gradient, int step)
    {
        if (All.TryGetValue(new Place(tensor, gradient), out var life)) life.Last = Math.Max(life.Last, step);
    }
}
