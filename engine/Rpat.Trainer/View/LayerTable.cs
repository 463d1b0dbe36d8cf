namespace Rpat.Trainer.View;

/// <summary>A network layer by layer: each layer's output for one image, its parameters and its multiply-adds.</summary>
internal static class LayerTable
{
    /// <summary>Prints the table and the sums.</summary>
    public static void Write(Classifier net, TextWriter output)
    {
        var tape = new Tape(net.Device);
        net.Forward(tape, Tensor.Create(net.Device, net.InputShape), BnMode.Eval);
        List<string[]> rows = [];
        double total = 0;
        foreach (Node node in tape.Nodes)
        {
            rows.Add(Row(node));
            total += node.MultiplyAdds;
        }
        rows.Add(["total", "", "", Number(net.Parameters.Count), Number(total)]);
        output.Write(new TextTable(["layer", "op", "output", "parameters", "MACs"], rows, RightFrom: 2).Write("text"));
    }

    private static string[] Row(Node node)
    {
        Parameter[] parameters = [.. node.Inputs.Select(edge => edge.Tensor).OfType<Parameter>()];
        string name = parameters.Length > 0 ? parameters[0].Name : "";
        if (name.LastIndexOf('.') is >= 0 and var end) name = name[..end];
        Shape s = node.Outputs[0].Shape;
        string shape = s.Area == 1 ? Number(s.C) : string.Create(CultureInfo.InvariantCulture, $"{s.C}x{s.H}x{s.W}");
        long count = parameters.Sum(p => p.Shape.Count);
        return [name, node.Op, shape, count == 0 ? "" : Number(count), node.MultiplyAdds == 0 ? "" : Number(node.MultiplyAdds)];
    }

    private static string Number(double value) => value.ToString("#,0", CultureInfo.InvariantCulture);
}
