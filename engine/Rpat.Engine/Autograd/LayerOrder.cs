namespace Rpat.Engine.Autograd;

/// <summary>
/// The order in which a tape runs its nodes. Several passes of one network (RPAT's three views) run layer by layer, not pass by pass, so
/// that a layer's packed weights are live only for a short time. Nodes of one layer keep the order of recording: running statistics are
/// updated in the order in which the passes were recorded (methods.md 1.5).
/// </summary>
internal static class LayerOrder
{
    /// <summary>
    /// Sorts nodes by their layer: the largest number of nodes with packed weights on any path to them, themselves included.
    /// </summary>
    public static List<Node> Sort(IReadOnlyList<Node> nodes)
    {
        var layers = new Dictionary<Tensor, int>();
        return [.. nodes.Select(node => (Node: node, Layer: Layer(node, layers))).OrderBy(n => n.Layer).Select(n => n.Node)];
    }

    private static int Layer(Node node, Dictionary<Tensor, int> layers)
    {
        int layer = node.ForwardWeights.Any() ? 1 : 0;
        layer += node.Inputs.SelectMany(e => e.Reads.Append(e.Tensor)).Max(t => (int?)layers.GetValueOrDefault(t)) ?? 0;
        foreach (var output in node.Outputs) layers[output] = layer;
        return layer;
    }
}
