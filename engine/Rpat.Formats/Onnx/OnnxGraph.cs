namespace Rpat.Formats.Onnx;

/// <summary>Collects the nodes and constants of an ONNX graph (formats.md 9).</summary>
internal sealed class OnnxGraph
{
    private const int NodeField = 1, NameField = 2, InitializerField = 5, InputField = 11, OutputField = 12;
    private const int FloatType = 1, Int64Type = 7;

    private readonly ProtobufWriter _graph = new();
    private readonly HashSet<string> _constants = new(StringComparer.Ordinal);
    private int _nodes;

    /// <summary>Adds a node with one output.</summary>
    /// <param name="output">Name of the output, or null for a generated name.</param>
    /// <returns>Name of the output.</returns>
    public string Node(string op, string[] inputs, (string Name, object Value)[]? attributes = null, string? output = null)
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"{op}_{_nodes++}");
        string result = output ?? name;
        _graph.Message(NodeField, node =>
        {
            foreach (string input in inputs) node.Text(1, input);
            node.Text(2, result);
            node.Text(3, name);
            node.Text(4, op);
            foreach (var (key, value) in attributes ?? []) node.Message(5, attribute => Attribute(attribute, key, value));
        });
        return result;
    }

    /// <summary>Adds float32 numbers under a name, once.</summary>
    public string Constant(string name, ReadOnlySpan<float> values, params long[] shape) =>
        Constant(name, FloatType, MemoryMarshal.AsBytes(values), shape);

    /// <summary>Adds whole numbers under a name, once.</summary>
    public string Constant(string name, ReadOnlySpan<long> values) =>
        Constant(name, Int64Type, MemoryMarshal.AsBytes(values), [values.Length]);

    /// <summary>The whole message, with one input and one output whose first size is the batch.</summary>
    public ProtobufWriter Finish(string name, string input, long[] inputSizes, string output, long[] outputSizes)
    {
        _graph.Text(NameField, name);
        _graph.Message(InputField, value => Value(value, input, inputSizes));
        _graph.Message(OutputField, value => Value(value, output, outputSizes));
        return _graph;
    }

    private string Constant(string name, int type, ReadOnlySpan<byte> data, long[] shape)
    {
        if (!_constants.Add(name)) return name;
        byte[] bytes = data.ToArray();
        _graph.Message(InitializerField, tensor =>
        {
            foreach (long size in shape) tensor.Integer(1, size);
            tensor.Integer(2, type);
            tensor.Text(8, name);
            tensor.Bytes(9, bytes);
        });
        return name;
    }

    private static void Attribute(ProtobufWriter attribute, string name, object value)
    {
        const int type = 20;
        attribute.Text(1, name);
        switch (value)
        {
            case float number: attribute.Float(2, number); attribute.Integer(type, 1); break;
            case int number: attribute.Integer(3, number); attribute.Integer(type, 2); break;
            case int[] numbers:
                foreach (int number in numbers) attribute.Integer(8, number);
                attribute.Integer(type, 7);
                break;
            default: throw new ArgumentException($"An ONNX attribute cannot be a {value.GetType().Name}.", nameof(value));
        }
    }

    private static void Value(ProtobufWriter value, string name, long[] sizes)
    {
        value.Text(1, name);
        value.Message(2, type => type.Message(1, tensor =>
        {
            tensor.Integer(1, FloatType);
            tensor.Message(2, shape =>
            {
                shape.Message(1, batch => batch.Text(2, "N"));
                foreach (long size in sizes) shape.Message(1, dimension => dimension.Integer(1, size));
            });
        }));
    }
}
