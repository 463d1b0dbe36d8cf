using Rpat.Engine.Nn;

namespace Rpat.Engine.IO.Onnx;

/// <summary>Turns the nodes of an eval-mode tape into ONNX operators; what the engine stores as a view becomes an operator of its own.</summary>
internal sealed class OnnxTranslator(Classifier net, OnnxGraph graph)
{
    private readonly Dictionary<Tensor, string> _names = [];

    /// <summary>Names the network's input.</summary>
    public void Input(Tensor tensor, string name) => _names[tensor] = name;

    /// <summary>Translates one node; its output gets <paramref name="output"/> as name, or one of its own.</summary>
    /// <exception cref="NotSupportedException">The op has no counterpart here.</exception>
    public void Translate(Node node, string? output) => _names[node.Outputs[0]] = node switch
    {
        Conv2dNode conv => Conv(conv),
        DepthwiseConv2dNode conv => Depthwise(conv),
        ChannelBiasNode bias => graph.Node("Add", [Of(bias.Inputs[0]), Channels((Parameter)bias.Inputs[1].Tensor)]),
        BatchNorm2dNode norm => Norm(norm),
        AddNode add => Relu(graph.Node("Add", [Of(add.Inputs[0]), Of(add.Inputs[1])]), add.HasRelu),
        ReluNode relu => graph.Node("Relu", [Of(relu.Inputs[0])]),
        Materialize stored => Of(stored.Inputs[0]),
        MaxPool2dNode pool => graph.Node("MaxPool", [Of(pool.Inputs[0])], [("kernel_shape", Pair(pool.Window)), ("strides", Pair(pool.Stride))]),
        GlobalAveragePoolNode pool => graph.Node("Flatten", [graph.Node("GlobalAveragePool", [Of(pool.Inputs[0])])], [("axis", 1)]),
        ToActivationsNode maps => Reshape(maps),
        LinearNode linear => graph.Node(
            "Gemm", [Of(linear.Inputs[0]), Weight(linear.Inputs[1]), Weight(linear.Inputs[2])], [("transB", 1)], output),
        _ => throw new NotSupportedException($"ONNX export does not know the op {node.Op}."),
    };

    private string Conv(Conv2dNode node)
    {
        ConvShape s = node.Shape;
        string y = graph.Node("Conv", [Of(node.Inputs[0]), Weight(node.Inputs[1])], Window(s.R, s.Stride, s.Padding, 1));
        return node.Inputs.Count > 2 ? graph.Node("Add", [y, Of(node.Inputs[2])]) : y;
    }

    private string Depthwise(DepthwiseConv2dNode node)
    {
        DepthwiseShape s = node.Shape;
        return graph.Node("Conv", [Of(node.Inputs[0]), Weight(node.Inputs[1])], Window(s.R, s.Stride, s.Padding, s.Input.C));
    }

    private string Norm(BatchNorm2dNode node)
    {
        BatchNorm2d layer = net.BatchNorms.First(norm => norm.Weight == node.Inputs[1].Tensor);
        string[] inputs =
        [
            Of(node.Inputs[0]), Vector(layer.Weight), Vector(layer.Bias), Vector(layer.RunningMean), Vector(layer.RunningVar),
        ];
        return Relu(graph.Node("BatchNormalization", inputs, [("epsilon", BatchNorm2d.Epsilon)]), node.Output.View!.Relu);
    }

    private string Reshape(ToActivationsNode node)
    {
        Shape s = node.Output.Shape;
        long[] sizes = [0, s.C, s.H, s.W]; // 0 keeps the batch
        return graph.Node("Reshape", [Of(node.Inputs[0]), graph.Constant($"sizes.{s.C}x{s.H}x{s.W}", sizes)]);
    }

    private string Relu(string name, bool wanted) => wanted ? graph.Node("Relu", [name]) : name;

    // The input normalisation is a view that no node makes.
    private string Of(Edge edge) => _names.TryGetValue(edge.Tensor, out string? name) ? name : _names[edge.Tensor] = Normalized(edge.Tensor);

    private string Normalized(Tensor tensor)
    {
        AffineView view = tensor.View ?? throw new NotSupportedException($"ONNX export does not know where {tensor} comes from.");
        int channels = tensor.Shape.C;
        string scale = graph.Constant("normalize.scale", view.Scale.ToArray().AsSpan(0, channels), 1, channels, 1, 1);
        string shift = graph.Constant("normalize.shift", view.Shift.ToArray().AsSpan(0, channels), 1, channels, 1, 1);
        return graph.Node("Add", [graph.Node("Mul", [_names[view.Source], scale]), shift]);
    }

    private string Weight(Edge edge)
    {
        var parameter = (Parameter)edge.Tensor;
        return graph.Constant(parameter.Name, parameter.ToArray(), [.. parameter.Dimensions.Select(size => (long)size)]);
    }

    private string Vector(Tensor values) => graph.Constant(values.Name, values.ToArray(), values.Shape.C);

    private string Channels(Parameter values) => graph.Constant(values.Name, values.ToArray(), 1, values.Shape.C, 1, 1);

    private static (string, object)[] Window(int size, int stride, int padding, int groups) =>
    [
        ("kernel_shape", Pair(size)), ("strides", Pair(stride)), ("pads", new[] { padding, padding, padding, padding }), ("dilations", Pair(1)),
        ("group", groups),
    ];

    private static int[] Pair(int value) => [value, value];
}
