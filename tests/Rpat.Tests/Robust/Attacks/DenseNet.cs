namespace Rpat.Tests.Robust.Attacks;

internal enum Activation
{
    None,
    Relu,
    Tanh,
}

/// <summary>A fully connected layer: weights <c>[out, in]</c>, bias <c>[out]</c>, and what follows.</summary>
internal sealed record DenseLayer(double[] Weight, double[] Bias, Activation Activation = Activation.None);

/// <summary>A fully connected net on images of any shape.</summary>
internal sealed class DenseNet : Classifier
{
    private readonly List<(Parameter Weight, Parameter Bias, Activation Activation)> _layers = [];
    private readonly Func<Tape, Tensor, Tensor> _last;

    /// <summary>Builds the net.</summary>
    /// <param name="device">Where it lives.</param>
    /// <param name="image">Size of an image.</param>
    /// <param name="layers">The layers.</param>
    /// <param name="last">One more op on the logits, or null.</param>
    public DenseNet(Device device, Shape image, DenseLayer[] layers, Func<Tape, Tensor, Tensor>? last = null)
        : base(device, image, layers[^1].Bias.Length)
    {
        _last = last ?? ((_, z) => z);
        for (int i = 0; i < layers.Length; i++)
        {
            var (weight, bias) = DeclareLinear($"layer{i}", layers[i].Bias.Length, layers[i].Weight.Length / layers[i].Bias.Length);
            _layers.Add((weight, bias, layers[i].Activation));
        }
        Build(seed: 1);
        for (int i = 0; i < layers.Length; i++)
        {
            _layers[i].Weight.Upload(Array.ConvertAll(layers[i].Weight, v => (float)v));
            _layers[i].Bias.Upload(Array.ConvertAll(layers[i].Bias, v => (float)v));
        }
        Parameters.BumpVersion();
    }

    protected override Tensor Record(Tape tape, Tensor x, BnMode bn)
    {
        Tensor h = tape.Flatten(x);
        foreach (var (weight, bias, activation) in _layers)
        {
            h = tape.Linear(h, weight, bias);
            if (activation == Activation.Relu) h = tape.Relu(h);
            if (activation == Activation.Tanh) h = tape.Record(new RowNode(tape, h, RowNode.Tanh, RowNode.TanhGradient)).Output;
        }
        return _last(tape, h);
    }
}

/// <summary>A function of rows on the host, with its pull-back; for nets that the engine has no op for.</summary>
internal sealed class RowNode : Node
{
    private readonly Edge _x;
    private readonly Device _device;
    private readonly Func<float[], float[]> _map;
    private readonly Func<float[], float[], float[]> _pullBack;

    /// <summary>Records the function.</summary>
    /// <param name="tape">Where.</param>
    /// <param name="x">Plain rows.</param>
    /// <param name="map">Output from input, the whole batch.</param>
    /// <param name="pullBack">Input gradient from output and its gradient.</param>
    public RowNode(Tape tape, Tensor x, Func<float[], float[]> map, Func<float[], float[], float[]> pullBack)
    {
        (_x, _device, _map, _pullBack) = (tape.AddStoredInput(x), tape.Device, map, pullBack);
        Output = tape.NewTensor(x.Shape, Layout.Plain, "rows");
        tape.Retain(_x.Stored);
        tape.Retain(Output);
        (Inputs, Outputs) = ([_x], [Output]);
    }

    public Tensor Output { get; }
    public override string Op => "Row";
    public override IReadOnlyList<Edge> Inputs { get; }
    public override IReadOnlyList<Tensor> Outputs { get; }

    public static float[] Tanh(float[] x) => Array.ConvertAll(x, v => (float)Math.Tanh(v));

    public static float[] TanhGradient(float[] y, float[] dy) => [.. y.Zip(dy, (v, g) => (1 - v * v) * g)];

    public override void Forward(IKernels k) => _device.Upload(_map(Read(_x.Data)), Output.Data);

    public override void Backward(IKernels k)
    {
        float[] dx = _pullBack(Read(Output.Data), Read(Output.Grad));
        if (_x.Accumulate) dx = [.. dx.Zip(Read(_x.Grad), (a, b) => a + b)];
        _device.Upload(dx, _x.Grad);
    }

    private float[] Read(DeviceBuffer buffer)
    {
        var values = new float[Output.Shape.Count];
        _device.Download(buffer, values);
        return values;
    }
}
