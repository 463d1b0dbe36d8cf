namespace Rpat.Formats.Onnx;

/// <summary>
/// Turns the nodes of an eval-mode tape into ONNX operators; what the engine stores as a view becomes a separate operator.
/// </summary>
internal sealed class OnnxTranslator(Classifier net, OnnxGraph graph)
{
    private readonly Dictionary<Tensor, string> _names = [];

    /// <summary>Sets the name of the network's input.</summary>
    public void Input(Tensor tensor, string name) => _names[tensor] = name;

    /// <summary>Sets the name of the network's output, which a node has produced.</summary>
    public void Output(Tensor tensor, string name) => graph.Node("Identity", [_names[tensor]], output: name);

    /// <summary>Translates one node.</summary>
    /// <exception cref="NotSupportedException">The op has no counterpart in ONNX.</exception>
    public void Translate(Node node) => _names[node.Outputs[0]] = node.Op switch
    {
        "Conv2d" => Conv(node),
        "DepthwiseConv2d" => Depthwise(node),
        "ChannelBias" => graph.Node("Add", [Of(node.Inputs[0]), Channels((Parameter)node.Inputs[1].Tensor)]),
        "BatchNorm2d" => Norm(node),
        "Add" when node.Attributes.ContainsKey("relu") => Relu(graph.Node("Add", [Of(node.Inputs[0]), Of(node.Inputs[1])]), node),
        "Relu" => graph.Node("Relu", [Of(node.Inputs[0])]),
        "Silu" => graph.Node("Mul", [Of(node.Inputs[0]), graph.Node("Sigmoid", [Of(node.Inputs[0])])]),
        "Sigmoid" or "Tanh" or "Exp" or "Log" => graph.Node(node.Op, [Of(node.Inputs[0])]),
        "Multiply" => graph.Node("Mul", [Of(node.Inputs[0]), Spread(node)]),
        "Divide" => graph.Node("Div", [Of(node.Inputs[0]), Spread(node)]),
        "Materialize" => Of(node.Inputs[0]),
        "MaxPool2d" => graph.Node(
            "MaxPool", [Of(node.Inputs[0])],
            [("kernel_shape", Pair(node.Attributes["window"])), ("strides", Pair(node.Attributes["stride"])), ("pads", Border(node))]),
        "GlobalAveragePool" => graph.Node("Flatten", [graph.Node("GlobalAveragePool", [Of(node.Inputs[0])])], [("axis", 1)]),
        "ToActivations" => Reshape(node),
        "Linear" => graph.Node(
            "Gemm", [Of(node.Inputs[0]), Matrix(node.Inputs[1]), .. node.Inputs.Skip(2).Select(Weight)], [("transB", 1)]),
        _ => throw new NotSupportedException($"ONNX export does not know the op {node.Op}: docs/adding-a-model.md lists those it knows."),
    };

    private string Conv(Node node)
    {
        string y = graph.Node("Conv", [Of(node.Inputs[0]), Weight(node.Inputs[1])], Window(node, 1));
        return node.Inputs.Count > 2 ? graph.Node("Add", [y, Of(node.Inputs[2])]) : y;
    }

    private string Depthwise(Node node) =>
        graph.Node("Conv", [Of(node.Inputs[0]), Weight(node.Inputs[1])], Window(node, node.Inputs[0].Tensor.Shape.C));

    private string Norm(Node node)
    {
        BatchNorm2d layer = net.BatchNorms.First(norm => norm.Weight == node.Inputs[1].Tensor);
        string[] inputs =
        [
            Of(node.Inputs[0]), Vector(layer.Weight), Vector(layer.Bias), Vector(layer.RunningMean), Vector(layer.RunningVar),
        ];
        return Relu(graph.Node("BatchNormalization", inputs, [("epsilon", layer.Epsilon)]), node);
    }

    private string Reshape(Node node)
    {
        Shape s = node.Outputs[0].Shape;
        long[] sizes = [0, s.C, s.H, s.W]; // 0 keeps the batch
        return graph.Node("Reshape", [Of(node.Inputs[0]), graph.Constant($"sizes.{s.C}x{s.H}x{s.W}", sizes)]);
    }

    // A row of values per sample or channel has the map's four sizes here.
    private string Spread(Node node)
    {
        Tensor a = node.Inputs[0].Tensor, b = node.Inputs[1].Tensor;
        if (b is Parameter values) return a.Layout == Layout.Plain ? Vector(values) : Channels(values);
        return b.Layout == a.Layout ? Of(node.Inputs[1])
            : graph.Node("Reshape", [Of(node.Inputs[1]), graph.Constant("sizes.rows", [0, 0, 1, 1])]);
    }

    private string Relu(string name, Node node) => node.Attributes["relu"] == 1 ? graph.Node("Relu", [name]) : name;

    // The input normalisation is a view that no node produces.
    private string Of(Edge edge) =>
        _names.TryGetValue(edge.Tensor, out string? name) ? name : _names[edge.Tensor] = Normalized(edge.Tensor);

    private string Normalized(Tensor tensor)
    {
        AffineView view = tensor.View ?? throw new NotSupportedException($"ONNX export does not know where {tensor} comes from.");
        int channels = tensor.Shape.C;
        string scale = graph.Constant("normalize.scale", view.Scale.ToArray().AsSpan(0, channels), 1, channels, 1, 1);
        string shift = graph.Constant("normalize.shift", view.Shift.ToArray().AsSpan(0, channels), 1, channels, 1, 1);
        return graph.Node("Add", [graph.Node("Mul", [_names[view.Source], scale]), shift]);
    }

    // A 1×1 convolution's weight that is used as a matrix.
    private string Matrix(Edge edge)
    {
        Parameter weight = Stored(edge);
        return graph.Constant(weight.Name, weight.ToArray(), weight.Shape.N, weight.Shape.SampleCount);
    }

    private static Parameter Stored(Edge edge) => edge.Tensor as Parameter
        ?? throw new NotSupportedException($"ONNX export does not know weights that are computed: {edge.Tensor}.");

    private string Weight(Edge edge)
    {
        Parameter parameter = Stored(edge);
        return graph.Constant(parameter.Name, parameter.ToArray(), [.. parameter.Dimensions.Select(size => (long)size)]);
    }

    private string Vector(Tensor values) => graph.Constant(values.Name, values.ToArray(), values.Shape.C);

    private string Channels(Parameter values) => graph.Constant(values.Name, values.ToArray(), 1, values.Shape.C, 1, 1);

    private static (string, object)[] Window(Node node, int groups) =>
    [
        ("kernel_shape", Pair(node.Attributes["kernel"])), ("strides", Pair(node.Attributes["stride"])),
        ("pads", Border(node)), ("dilations", Pair(1)), ("group", groups),
    ];

    private static int[] Border(Node node)
    {
        int padding = node.Attributes["padding"], behind = padding + node.Attributes.GetValueOrDefault("trailing");
        return [padding, padding, behind, behind];
    }

    private static int[] Pair(int value) => [value, value];
}
