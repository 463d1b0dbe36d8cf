namespace Rpat.Nn;

/// <summary>
/// A network's state: its parameters in one store, and its batch norms' running statistics. Layers are declared in PyTorch's
/// order and under PyTorch's names, so that checkpoints are interchangeable.
/// </summary>
public abstract class Module(Device device)
{
    private readonly List<BatchNorm2d> _batchNorms = [];
    private readonly List<StateBuffer> _buffers = [];
    private readonly List<(Parameter Parameter, Init Init)> _initializers = [];
    private readonly Outline _outline = new();
    private int _dropouts;
    private DropoutSource? _dropoutSource;

    /// <summary>The device that the network is on.</summary>
    public Device Device { get; } = Bound.Given(device);

    /// <summary>All trained parameters.</summary>
    public ParameterStore Parameters { get; } = new(device);

    /// <summary>Where the network's dropouts take their random numbers from.</summary>
    public DropoutSource Dropout => _dropoutSource ??= new DropoutSource(() => Parameters.Version);

    /// <summary>The batch norms, in declaration order.</summary>
    public IReadOnlyList<BatchNorm2d> BatchNorms => _batchNorms;

    /// <summary>Values that are saved but not trained, other than the batch norms' statistics.</summary>
    public IReadOnlyList<StateBuffer> Buffers => _buffers;

    /// <summary>How many values of its own the network has so far.</summary>
    internal int Declared => Parameters.Parameters.Count + _batchNorms.Count + _buffers.Count + _dropouts;

    /// <summary>The whole state under PyTorch's names: parameters, running statistics, batch counts and buffers.</summary>
    public IEnumerable<NamedArray> State()
    {
        foreach (var p in Parameters.Parameters)
            yield return NamedArray.FromFloats(p.Name, p.ToArray(), [.. p.Dimensions.Select(d => (long)d)]);
        foreach (var norm in _batchNorms)
        {
            yield return NamedArray.FromFloats(norm.RunningMean.Name, norm.RunningMean.ToArray(), norm.Channels);
            yield return NamedArray.FromFloats(norm.RunningVar.Name, norm.RunningVar.ToArray(), norm.Channels);
            yield return NamedArray.FromInt64(norm.CountName, [norm.BatchesTracked]);
        }
        foreach (var buffer in _buffers) yield return NamedArray.FromFloats(buffer.Name, buffer.Values, [.. buffer.Dimensions]);
    }

    /// <summary>Names and sizes of <see cref="State"/>, without its values.</summary>
    public IEnumerable<(string Name, long[] Shape)> StateShapes()
    {
        foreach (var p in Parameters.Parameters) yield return (p.Name, [.. p.Dimensions.Select(d => (long)d)]);
        foreach (var norm in _batchNorms)
        {
            yield return (norm.RunningMean.Name, [norm.Channels]);
            yield return (norm.RunningVar.Name, [norm.Channels]);
            yield return (norm.CountName, []);
        }
        foreach (var buffer in _buffers) yield return (buffer.Name, [.. buffer.Dimensions]);
    }

    /// <summary>Loads a whole state, such as another network's; nothing is changed unless every array is present and fits.</summary>
    /// <exception cref="CheckpointException">Arrays are missing, unexpected, of another shape, complex, or there twice.</exception>
    public void Load(IEnumerable<NamedArray> state)
    {
        ArgumentNullException.ThrowIfNull(state);
        var arrays = new Dictionary<string, NamedArray>();
        foreach (var array in state)
            if (!arrays.TryAdd(array.Name, array)) throw new CheckpointException($"Two arrays are called '{array.Name}': give each once.");
        Load(arrays);
    }

    /// <inheritdoc cref="Load(IEnumerable{NamedArray})"/>
    public void Load(IReadOnlyDictionary<string, NamedArray> state)
    {
        ArgumentNullException.ThrowIfNull(state);
        StateReport.Of(this, state.ToDictionary(pair => pair.Key, pair => pair.Value.Shape)).Require();
        var values = state.ToDictionary(pair => pair.Key, pair => Converted(pair.Value.ToFloats));
        long[] counts = [.. _batchNorms.Select(norm => Converted(() => Count(state[norm.CountName])))];
        foreach (var p in Parameters.Parameters) p.Upload(values[p.Name]);
        foreach (var (norm, count) in _batchNorms.Zip(counts))
        {
            norm.RunningMean.Upload(values[norm.RunningMean.Name]);
            norm.RunningVar.Upload(values[norm.RunningVar.Name]);
            norm.BatchesTracked = count;
        }
        foreach (var buffer in _buffers) buffer.Set(values[buffer.Name]);
        Loaded();
        Parameters.BumpVersion();
    }

    private static T Converted<T>(Func<T> convert)
    {
        try
        {
            return convert();
        }
        catch (DataException error)
        {
            throw new CheckpointException(error.Message, error);
        }
    }

    // PyTorch's counts are integers, until a whole state is averaged or converted to floats.
    private static long Count(NamedArray array) =>
        array.Type is ElementType.F16 or ElementType.BF16 or ElementType.F32 or ElementType.F64 ? (long)array.ToFloats()[0]
        : array.ToInt64()[0];

    /// <summary>Called after the state was loaded, before it is used: for values that depend on it.</summary>
    protected virtual void Loaded()
    {
    }

    /// <summary>Declares values that are saved but not trained, zeros at first.</summary>
    protected StateBuffer DeclareBuffer(string name, params long[] dimensions)
    {
        var buffer = new StateBuffer(name, dimensions);
        _buffers.Add(buffer);
        return buffer;
    }

    /// <summary>Declares a batch norm of that many channels.</summary>
    public BatchNorm2d DeclareBatchNorm(string name, int channels, float epsilon = 1e-5f, float momentum = 0.1f)
    {
        var norm = new BatchNorm2d(Parameters, name, channels, epsilon, momentum);
        _batchNorms.Add(norm);
        _outline.Add(name, Python.Call("BatchNorm2d", channels, ("eps", epsilon), ("momentum", momentum)));
        return norm;
    }

    /// <summary>Declares filters <c>[out, in, size, size]</c> without bias.</summary>
    public Parameter DeclareConv(string name, int outputs, int inputs, int size, Init? init = null)
    {
        _outline.Add(name, Python.Call("Conv2d", inputs, outputs, ("kernel_size", (size, size)), ("bias", false)));
        var shape = new Shape(outputs, inputs, size, size);
        return DeclareParameter($"{name}.weight", init ?? Init.Default, shape, outputs, inputs, size, size);
    }

    /// <summary>
    /// Declares the bias of a convolution, one value per channel, with PyTorch's initial values for that many inputs per filter.
    /// </summary>
    public Parameter DeclareBias(string name, int channels, int fanIn) =>
        DeclareParameter($"{name}.bias", Init.DefaultBias(fanIn), new Shape(1, channels), channels);

    /// <summary>Declares a fully connected layer: weight <c>[out, in]</c> and bias <c>[out]</c>.</summary>
    public (Parameter Weight, Parameter Bias) DeclareLinear(string name, int outputs, int inputs, bool zeroBias = false)
    {
        _outline.Add(name, Python.Call("Linear", ("in_features", inputs), ("out_features", outputs), ("bias", true)));
        return (DeclareParameter($"{name}.weight", Init.Default, new Shape(outputs, inputs), outputs, inputs),
            DeclareParameter($"{name}.bias", zeroBias ? Init.Zero : Init.DefaultBias(inputs), new Shape(1, outputs), outputs));
    }

    /// <summary>Declares a vector of ones at first, such as the weight of a layer norm.</summary>
    protected Parameter DeclareOnes(string name, params int[] dimensions) =>
        DeclareParameter(name, Init.One, new Shape(1, dimensions.Aggregate(1, (a, b) => a * b)), dimensions);

    /// <summary>Declares a parameter of a custom layer.</summary>
    /// <param name="name">Name in checkpoints, such as <c>layer1.scale</c>.</param>
    /// <param name="dimensions">Sizes in PyTorch's order; their product must equal the shape's.</param>
    public Parameter DeclareParameter(string name, Init init, Shape shape, params int[] dimensions)
    {
        var parameter = Parameters.Declare(name, shape, dimensions);
        _initializers.Add((parameter, init));
        return parameter;
    }

    /// <summary>Declares a layer with all that it contains.</summary>
    /// <param name="name">Its name in checkpoints, before those of its parameters; empty for none.</param>
    public T Declare<T>(string name, T layer) where T : Layer
    {
        _outline.Add(name, layer.ToString());
        layer.DeclareIn(this, name);
        return layer;
    }

    /// <summary>The number of a dropout in the network, which keeps its random numbers apart from others'.</summary>
    public int DeclareDropout() => _dropouts++;

    /// <summary>The network's layers with their names, as PyTorch prints them.</summary>
    public override string ToString() => _outline.Print(GetType().Name);

    /// <summary>Allocates all declared parameters and draws their initial values; a meta device has none.</summary>
    /// <param name="seed">Seed of the initial values.</param>
    protected void Build(ulong seed)
    {
        Parameters.Allocate();
        if (Device is MetaDevice) return;
        for (int i = 0; i < _initializers.Count; i++)
            _initializers[i].Parameter.Upload(_initializers[i].Init.Draw(_initializers[i].Parameter.Dimensions, seed, i));
        foreach (var norm in _batchNorms) norm.Initialize();
        Parameters.BumpVersion();
    }
}
