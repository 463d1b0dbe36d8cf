namespace Rpat.Nn;

/// <summary>A convolution of <c>[N, inputs, H, W]</c>, with PyTorch's initial values.</summary>
public sealed class Conv2d : Layer
{
    private readonly int _inputs, _outputs;
    private readonly (int Rows, int Columns) _kernel;
    private readonly ConvolutionOptions _options;
    private readonly bool _hasBias;
    private readonly Init _init;
    private Parameter? _weight, _bias;

    /// <summary>A convolution with square filters.</summary>
    public Conv2d(int inputs, int outputs, int kernel, int stride = 1, int padding = 0, int dilation = 1, int groups = 1, bool bias = true,
        Init? init = null)
        : this(inputs, outputs, (kernel, kernel), new()
        { Stride = stride, Padding = (padding, padding), Dilation = (dilation, dilation), Groups = groups }, bias, init)
    {
    }

    /// <summary>Refuses sizes that no convolution has.</summary>
    internal static void RequireSizes(int inputs, int outputs, int stride, string advice = "") => ShapeException.Require(
        Math.Min(Math.Min(inputs, outputs), stride) > 0, "Conv2d",
        $"{inputs} inputs, {outputs} outputs and stride {stride} must be at least 1{advice}");

    /// <summary>A convolution with filters of any size.</summary>
    /// <param name="kernel">Rows and columns of a filter.</param>
    /// <param name="init">How the filters are initialised; PyTorch's default if not given.</param>
    /// <exception cref="ShapeException">The channels do not divide into the groups, or a size, stride, padding or dilation is
    /// impossible.</exception>
    public Conv2d(int inputs, int outputs, (int Rows, int Columns) kernel, ConvolutionOptions options, bool bias = true, Init? init = null)
    {
        RequireSizes(inputs, outputs, Bound.Given(options).Stride);
        ShapeException.Require(
            options.Groups > 0 && inputs % options.Groups == 0 && outputs % options.Groups == 0, "Conv2d",
            $"{inputs} inputs and {outputs} outputs do not divide into {options.Groups} groups");
        var ((rows, columns), padding, dilation) = (kernel, options.Padding, options.Dilation);
        ShapeException.Require(Math.Min(Math.Min(rows, columns), options.Stride) > 0 && Math.Min(padding.Rows, padding.Columns) >= 0
            && Math.Min(dilation.Rows, dilation.Columns) > 0, "Conv2d",
            $"kernel {kernel}, stride {options.Stride} and dilation {dilation} must be positive, and padding {padding} not negative");
        (_inputs, _outputs, _kernel, _options, _hasBias, _init) = (inputs, outputs, kernel, options, bias, init ?? Init.Default);
    }

    /// <inheritdoc/>
    protected override void Declare(Module net, string name)
    {
        int inputs = _inputs / _options.Groups;
        _weight = net.DeclareParameter(Join(name, "weight"), _init, new Shape(_outputs, inputs, _kernel.Rows, _kernel.Columns),
            _outputs, inputs, _kernel.Rows, _kernel.Columns);
        if (_hasBias) _bias = net.DeclareBias(name, _outputs, inputs * _kernel.Rows * _kernel.Columns);
    }

    /// <inheritdoc/>
    public override Tensor Record(Tape tape, Tensor x, BnMode bn) => tape.Conv2d(x, Declared(_weight), _options, _bias);

    /// <inheritdoc/>
    public override string ToString()
    {
        List<object?> arguments =
            [_inputs, _outputs, ("kernel_size", _kernel), ("stride", (_options.Stride, _options.Stride))];
        if (_options.Padding != (0, 0)) arguments.Add(("padding", _options.Padding));
        if (_options.Dilation != (1, 1)) arguments.Add(("dilation", _options.Dilation));
        if (_options.Groups > 1) arguments.Add(("groups", _options.Groups));
        if (!_hasBias) arguments.Add(("bias", false));
        return Python.Call(nameof(Conv2d), [.. arguments]);
    }
}

/// <summary>A fully connected layer of rows <c>[N, inputs]</c>.</summary>
/// <param name="asConvolution">Whether its weight is stored as that of a 1×1 convolution, <c>[out, in, 1, 1]</c>.</param>
/// <exception cref="ShapeException">A number of columns is below 1.</exception>
public sealed class Linear(int inputs, int outputs, bool bias = true, bool asConvolution = false) : Layer
{
    private readonly int _inputs = Positive(nameof(Linear), inputs), _outputs = Positive(nameof(Linear), outputs);
    private Parameter? _weight, _bias;

    /// <inheritdoc/>
    protected override void Declare(Module net, string name)
    {
        int[] dimensions = asConvolution ? [_outputs, _inputs, 1, 1] : [_outputs, _inputs];
        _weight = net.DeclareParameter(Join(name, "weight"), Init.Default, new Shape(_outputs, _inputs), dimensions);
        if (bias) _bias = net.DeclareBias(name, _outputs, _inputs);
    }

    /// <inheritdoc/>
    public override Tensor Record(Tape tape, Tensor x, BnMode bn) => tape.Linear(x, Declared(_weight), _bias);

    /// <inheritdoc/>
    public override string ToString() => asConvolution
        ? Python.Call("Conv2d", _inputs, _outputs, ("kernel_size", (1, 1)), ("stride", (1, 1)))
        : Python.Call(nameof(Linear), ("in_features", _inputs), ("out_features", _outputs), ("bias", bias));
}

/// <summary>PyTorch's BatchNorm2d, of activations <c>[N, channels, H, W]</c>, and BatchNorm1d, of rows <c>[N, channels]</c>.</summary>
/// <param name="epsilon">Added to the variance; above 0.</param>
/// <param name="momentum">Weight of the batch in the running statistics, from 0 to 1.</param>
/// <exception cref="ShapeException">The channels are below 1.</exception>
/// <exception cref="ArgumentOutOfRangeException">ε or the momentum is out of its range.</exception>
public sealed class BatchNorm(int channels, float epsilon = 1e-5f, float momentum = 0.1f) : Layer
{
    private readonly int _channels = Positive(nameof(BatchNorm), channels);
    private readonly float _epsilon = (float)Bound.AboveZero(epsilon);
    private readonly float _momentum = momentum == 1 ? 1 : Bound.BelowOne(momentum);
    private BatchNorm2d? _norm;

    /// <inheritdoc/>
    protected override void Declare(Module net, string name) => _norm = net.DeclareBatchNorm(name, _channels, _epsilon, _momentum);

    /// <inheritdoc/>
    public override Tensor Record(Tape tape, Tensor x, BnMode bn) => Record(tape, x, bn, relu: false);

    /// <inheritdoc/>
    public override string ToString() => Python.Call("BatchNorm2d", _channels, ("eps", _epsilon), ("momentum", _momentum));

    internal Tensor Record(Tape tape, Tensor x, BnMode bn, bool relu)
    {
        Tensor y = tape.BatchNorm2d(Pool.Activations(tape, x), Declared(_norm), bn, relu);
        return x.Layout == Layout.Plain ? tape.ToPlain(y) : y;
    }
}

/// <summary>Group norm of activations or images, with a factor and a summand per channel.</summary>
/// <exception cref="ShapeException">The channels do not divide into the groups.</exception>
public sealed class GroupNorm(int groups, int channels, double epsilon = 1e-5) : Layer
{
    private readonly int _channels = groups > 0 && channels > 0 && channels % groups == 0 ? channels
        : throw new ShapeException(nameof(GroupNorm), $"{channels} channels do not divide into {groups} groups");
    private Parameter? _weight, _bias;

    /// <inheritdoc/>
    protected override void Declare(Module net, string name)
    {
        _weight = net.DeclareParameter(Join(name, "weight"), Init.One, new Shape(1, _channels), _channels);
        _bias = net.DeclareParameter(Join(name, "bias"), Init.Zero, new Shape(1, _channels), _channels);
    }

    /// <inheritdoc/>
    public override Tensor Record(Tape tape, Tensor x, BnMode bn) => tape.GroupNorm(x, groups, Declared(_weight), _bias, epsilon);

    /// <inheritdoc/>
    public override string ToString() => Python.Call(nameof(GroupNorm), groups, _channels, ("eps", epsilon));
}

/// <summary>Layer norm of rows <c>[N, columns]</c>.</summary>
/// <exception cref="ShapeException">There is no column.</exception>
public sealed class LayerNorm(int columns, double epsilon = 1e-5) : Layer
{
    private readonly int _columns = Positive(nameof(LayerNorm), columns);
    private Parameter? _weight, _bias;

    /// <inheritdoc/>
    protected override void Declare(Module net, string name)
    {
        _weight = net.DeclareParameter(Join(name, "weight"), Init.One, new Shape(1, _columns), _columns);
        _bias = net.DeclareParameter(Join(name, "bias"), Init.Zero, new Shape(1, _columns), _columns);
    }

    /// <inheritdoc/>
    public override Tensor Record(Tape tape, Tensor x, BnMode bn) => tape.LayerNorm(x, Declared(_weight), _bias, epsilon);

    /// <inheritdoc/>
    public override string ToString() => $"LayerNorm(({_columns},), eps={Python.Call("", epsilon)[1..^1]})";
}

/// <summary>Drops values while training; a network's dropouts share <see cref="Module.Dropout"/>.</summary>
/// <param name="rate">Share of the values that are dropped, from 0 to below 1.</param>
/// <exception cref="ShapeException">The rate is another number.</exception>
public sealed class Dropout(double rate = 0.5) : Layer
{
    private readonly double _rate = DropoutOp.Checked(rate);
    private DropoutSource? _source;
    private int _index;

    /// <inheritdoc/>
    protected override void Declare(Module net, string name) => (_source, _index) = (net.Dropout, net.DeclareDropout());

    /// <inheritdoc/>
    public override Tensor Record(Tape tape, Tensor x, BnMode bn) => tape.Dropout(x, _rate, Declared(_source), _index, bn);

    /// <inheritdoc/>
    public override string ToString() => Python.Call(nameof(Dropout), ("p", _rate));
}

/// <summary>A layer without parameters: any function of a tape and a tensor.</summary>
/// <param name="text">How it is printed, such as <c>SiLU()</c>.</param>
public class Activation(string text, Func<Tape, Tensor, Tensor> record) : Layer
{
    private readonly string _text = Bound.Given(text);
    private readonly Func<Tape, Tensor, Tensor> _record = Bound.Given(record);

    /// <summary>max(x, 0).</summary>
    public static Activation Relu => new("ReLU()", (tape, x) => tape.Relu(x)) { IsRelu = true };

    /// <summary>x·σ(x).</summary>
    public static Activation Silu => new("SiLU()", (tape, x) => tape.Silu(x));

    /// <summary>x·Φ(x).</summary>
    public static Activation Gelu => new("GELU()", (tape, x) => tape.Gelu(x));

    /// <summary>x, or slope·x below 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The slope is no finite number.</exception>
    public static Activation LeakyRelu(double slope = 0.01) =>
        new(Python.Call("LeakyReLU", ("negative_slope", Bound.Finite(slope))), (tape, x) => tape.LeakyRelu(x, slope));

    /// <summary>x from 0 to 6.</summary>
    public static Activation Relu6 => new("ReLU6()", (tape, x) => tape.Relu6(x));

    /// <summary>ln(1 + exp(β·x))/β.</summary>
    /// <exception cref="ArgumentOutOfRangeException">β is not above 0.</exception>
    public static Activation Softplus(double beta = 1) =>
        new(Python.Call("Softplus", ("beta", Bound.AboveZero(beta))), (tape, x) => tape.Softplus(x, beta));

    /// <summary>1/(1 + e⁻ˣ).</summary>
    public static Activation Sigmoid => new("Sigmoid()", (tape, x) => tape.Sigmoid(x));

    /// <summary>tanh x.</summary>
    public static Activation Tanh => new("Tanh()", (tape, x) => tape.Tanh(x));

    internal bool IsRelu { get; private init; }

    /// <inheritdoc/>
    public override Tensor Record(Tape tape, Tensor x, BnMode bn) => _record(tape, x);

    /// <inheritdoc/>
    public override string ToString() => _text.EndsWith(')') ? _text : _text + "()";
}

/// <summary>Pooling and resizing layers.</summary>
public static class Pool
{
    /// <summary>Maximum of windows; stride 0 for the window.</summary>
    /// <exception cref="ShapeException">The window, the stride or the padding is impossible.</exception>
    public static Layer Max2d(int window, int stride = 0, int padding = 0)
    {
        Require("MaxPool2d", window, stride, padding);
        if (stride == 0) stride = window;
        string text = Python.Call("MaxPool2d", ("kernel_size", window), ("stride", stride), ("padding", padding));
        return new Activation(text, (tape, x) => tape.MaxPool2d(Activations(tape, x), window, stride, padding));
    }

    /// <summary>Mean of windows; stride 0 for the window.</summary>
    /// <inheritdoc cref="Max2d"/>
    public static Layer Average2d(int window, int stride = 0, int padding = 0)
    {
        Require("AvgPool2d", window, stride, padding);
        return new Activation(
            Python.Call("AvgPool2d", ("kernel_size", window), ("stride", stride == 0 ? window : stride), ("padding", padding)),
            (tape, x) => tape.AveragePool2d(x, window, stride, padding));
    }

    /// <summary>Means over as many windows as requested.</summary>
    /// <exception cref="ShapeException">A size is below 1.</exception>
    public static Layer AdaptiveAverage2d(int height, int width) => new Activation(
        Python.Call("AdaptiveAvgPool2d", ("output_size", ResizeOps.Size("AdaptiveAvgPool2d", height, width))),
        (tape, x) => tape.AdaptiveAveragePool2d(x, height, width));

    /// <summary>Mean of each map: <c>[N, C, H, W]</c> → rows <c>[N, C]</c>.</summary>
    public static Layer GlobalAverage() => new Activation("GlobalAveragePool()", (tape, x) => tape.GlobalAveragePool(Activations(tape, x)));

    /// <summary><c>[N, C, H, W]</c> → rows <c>[N, C·H·W]</c>.</summary>
    public static Layer Flatten() => new Activation("Flatten()", (tape, x) => tape.Flatten(tape.ToPlain(x)));

    internal static Tensor Activations(Tape tape, Tensor x) => x.Layout == Layout.Plain ? tape.ToActivations(x) : x;

    private static void Require(string layer, int window, int stride, int padding) => ShapeException.Require(
        window > 0 && stride >= 0 && padding >= 0 && padding <= window / 2, layer,
        $"window {window}, stride {stride} and padding {padding} are not from 1, from 0 and from 0 to half the window");
}

/// <summary>A classifier of layers that are made before it.</summary>
/// <example><c>new Network(device, new Shape(1, 3, 32, 32), 10, new Sequential(…), seed: 1)</c></example>
public sealed class Network : Classifier
{
    private readonly Layer _layers;
    private readonly Normalize? _normalization;

    /// <summary>Declares the layers and draws their initial values.</summary>
    /// <param name="input">One image: N is ignored.</param>
    /// <param name="classes">Columns of the last layer's rows.</param>
    /// <param name="seed">Seed of the initial values.</param>
    /// <param name="normalization">Mean and deviation of each channel, or null when the layers see [0,1].</param>
    /// <exception cref="ShapeException">The layers do not fit each other, the images or the classes.</exception>
    public Network(Device device, Shape input, int classes, Layer layers, ulong seed = 0,
        (IReadOnlyList<float> Mean, IReadOnlyList<float> Std)? normalization = null)
        : base(device, input, classes)
    {
        Bound.Given(layers);
        if (normalization is { } n) _normalization = new Normalize(device, n.Mean, n.Std);
        _layers = layers is Sequential ? DeclareInner(layers) : Declare("layers", layers);
        Build(seed);
        if (device is MetaDevice) return;
        var tape = new Tape(device); // never run: sizes that do not fit are found here
        Record(tape, tape.NewTensor(InputShape, Layout.Plain, "image"), BnMode.Eval);
    }

    /// <inheritdoc/>
    protected override Tensor Record(Tape tape, Tensor x, BnMode bn)
    {
        Tensor y = _layers.Record(tape, _normalization is null ? x : tape.Normalize(x, _normalization), bn);
        ShapeException.Require(y.Layout == Layout.Plain && y.Shape == new Shape(x.Shape.N, Classes), nameof(Network),
            $"the last layer gives {y}, not rows of {Classes} logits");
        return y;
    }

    private Layer DeclareInner(Layer layers)
    {
        layers.DeclareIn(this, "");
        return layers;
    }
}
