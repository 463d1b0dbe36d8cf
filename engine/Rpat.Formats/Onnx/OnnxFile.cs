namespace Rpat.Formats.Onnx;

/// <summary>
/// Writes networks as ONNX files (IR 8, opset 17): the eval-mode graph from images in [0,1] to logits, normalisation included, for
/// any batch size. Input <c>images</c> <c>[N, C, H, W]</c>, output <c>logits</c> <c>[N, K]</c>.
/// </summary>
public static class OnnxFile
{
    private const int IrVersion = 8;
    private const int Opset = 17;
    private const string Input = "images";
    private const string Output = "logits";

    /// <summary>Writes a network atomically; the same weights give the same bytes.</summary>
    /// <param name="path">The file to make or replace.</param>
    /// <param name="net">The network; its batch norms' running statistics become constants.</param>
    /// <exception cref="NotSupportedException">The network uses an op without an ONNX counterpart.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, Classifier net, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(net);
        ProtobufWriter model = Model(Graph(net), metadata ?? new Dictionary<string, string>());
        AtomicFile.Write(path, model.CopyTo);
    }

    private static ProtobufWriter Model(ProtobufWriter graph, IReadOnlyDictionary<string, string> metadata)
    {
        var model = new ProtobufWriter();
        model.Integer(1, IrVersion);
        model.Text(2, "rpat.native");
        model.Text(3, typeof(OnnxFile).Assembly.GetName().Version!.ToString(3));
        model.Bytes(7, graph.ToArray());
        model.Message(8, opset =>
        {
            opset.Text(1, "");
            opset.Integer(2, Opset);
        });
        foreach (var (name, text) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            model.Message(14, property =>
            {
                property.Text(1, name);
                property.Text(2, text);
            });
        return model;
    }

    private static ProtobufWriter Graph(Classifier net)
    {
        var tape = new Tape(net.Device);
        Tensor images = Tensor.Create(net.Device, net.InputShape, name: Input), logits = net.Forward(tape, images, BnMode.Eval);
        var graph = new OnnxGraph();
        var translator = new OnnxTranslator(net, graph);
        translator.Input(images, Input);
        foreach (Node node in tape.Nodes) translator.Translate(node);
        translator.Output(logits, Output);
        Shape s = net.InputShape;
        return graph.Finish(net.GetType().Name, Input, [s.C, s.H, s.W], Output, [net.Classes]);
    }
}
