namespace Rpat.Engine.Autograd;

/// <summary>What a tape's backward pass computes; <c>Inputs | Parameters</c> computes both.</summary>
[Flags]
public enum Gradients
{
    /// <summary>Nothing: <see cref="Tape.Forward"/> only.</summary>
    None = 0,

    /// <summary>Gradients of input tensors created with <c>needsGrad</c> (attacks).</summary>
    Inputs = 1,

    /// <summary>Gradients of parameters (training).</summary>
    Parameters = 2,
}

/// <summary>
/// A list of ops in execution order, recorded once and replayed every step. Recording checks shapes and computes nothing; the first run
/// plans all memory; later runs allocate nothing. A tape created with only <see cref="Gradients.Inputs"/> never computes weight gradients.
/// </summary>
public sealed class Tape(Device device, Gradients gradients = Gradients.None) : ICapturedRun
{
    private readonly ArenaTenant _tenant = new();
    private readonly Dictionary<object, PackedWeight> _derived = [];
    private List<Node> _nodes = [];
    private readonly HashSet<Tensor> _kept = [];
    private readonly List<DeviceBuffer> _memory = [];
    private readonly List<(Parameter Of, bool IsFrozen)> _parameters = [];
    private Tensor[] _targets = [];
    private ParameterStore[] _stores = [];
    private Parameter[] _others = []; // of those stores
    private Node[] _forward = [];
    private Node[] _backward = [];
    private Node[] _prologue = [];
    private Dictionary<Node, int> _places = [];
    private float[] _byValue = [];
    private long _changes;
    private MemoryPlan? _plan;
    private int _boundGeneration = -1;
    private long _passes;
    private bool _hasValues;

    /// <summary>The device that the tape runs on.</summary>
    public Device Device { get; } = Argument.Given(device);

    /// <summary>What <see cref="Backward"/> computes.</summary>
    public Gradients Gradients { get; } = gradients;

    /// <summary>
    /// This process's shard of a batch that several processes share (<see cref="Distributed.BatchShard"/>); null for a single process. Ops
    /// that depend on the whole batch then communicate in each run.
    /// </summary>
    public BatchShard? Shard { get; init; }

    /// <summary>The recorded ops; after the first run in execution order.</summary>
    public IReadOnlyList<Node> Nodes => _nodes;

    /// <summary>Bytes of the arena that this tape needs, known after the first run.</summary>
    public long PlannedBytes => (_plan?.Length ?? 0) * sizeof(float);

    /// <summary>
    /// Whether packed weights are kept for the whole tape. An attack or an evaluation runs repeatedly with the same weights; a training
    /// step changes them, so there they occupy memory only while they are used.
    /// </summary>
    internal bool KeepsDerivedWeights => (Gradients & Gradients.Parameters) == 0; // HasFlag boxes until its caller is optimised

    /// <summary>Passes so far, forward and backward.</summary>
    internal long Passes => _passes;

    /// <summary>Changes whenever packed weights may have been overwritten: with each pass, or when another tape has run.</summary>
    internal long WeightVersion => KeepsDerivedWeights ? Device.Arena.TapeVersion : _passes;

    /// <summary>Called before each node runs, with whether it runs backward; with null at the end of a pass.</summary>
    public Action<Node?, bool>? OnNode { get; set; }

    /// <summary>Keeps a tensor readable until another tape runs, instead of reusing its memory within this one.</summary>
    public Tensor Retain(Tensor tensor)
    {
        _kept.Add(Stored(Argument.Given(tensor)));
        return tensor;
    }

    /// <summary>Runs the recorded ops.</summary>
    /// <exception cref="InvalidOperationException">A <see cref="GraphCapture"/> is being recorded, which supports whole runs
    /// only.</exception>
    public void Forward()
    {
        if (Device.IsCapturing)
            throw new InvalidOperationException("A routine that is captured must use Run instead of Forward and Backward.");
        using var pass = Device.BeginPass();
        Enter();
        Queue(_forward, backward: false);
        _hasValues = true;
    }

    /// <summary>
    /// Runs the backward pass of all recorded losses; <see cref="Forward"/> must have run before. All gradients of the parameters'
    /// <see cref="ParameterStore"/> are new then: 0 for a parameter that no loss of this tape depends on.
    /// </summary>
    /// <exception cref="InvalidOperationException">The values are not available: no forward run yet, another tape has run since, or a
    /// backward pass has reused their memory.</exception>
    public void Backward()
    {
        if (Device.Arena.Tenant != _tenant || !_hasValues)
            throw new InvalidOperationException("Backward needs this tape's values: run Forward right before it.");
        using var pass = Device.BeginPass();
        _hasValues = false; // gradients take over their memory
        BeginBackward();
        Queue(_backward, backward: true);
    }

    /// <summary>Runs forward and backward.</summary>
    /// <exception cref="InvalidOperationException">There are losses, but nothing wants a gradient.</exception>
    public void Run()
    {
        using var pass = Device.BeginPass();
        if (Device.IsCapturing) Device.Arena.Enter(_tenant); // weights are packed again after another tape
        else Begin();
        Device.Runs?.Add(this);
        Queue(_forward, backward: false);
        Queue(_backward, backward: true);
    }

    bool ICapturedRun.IsProfiled => OnNode is not null;

    void ICapturedRun.Begin() => Begin();

    void ICapturedRun.End() => _tenant.Steps = _backward.Length > 0 ? 2 * _forward.Length : _forward.Length;

    private void Begin()
    {
        _plan ??= Plan();
        if (_backward.Length == 0 && _nodes.Exists(node => node.StartsBackward))
            throw new InvalidOperationException("Nothing on this tape wants a gradient: call Forward, or make it with Gradients.Parameters "
                + "or, for inputs made with needsGrad, Gradients.Inputs.");
        Enter();
        if (_backward.Length > 0) BeginBackward();
    }

    private void BeginBackward()
    {
        if ((Gradients & Gradients.Parameters) != 0 && _parameters.Find(p => p.Of.IsFrozen != p.IsFrozen).Of is { } parameter)
            throw new InvalidOperationException(
                $"{parameter.Name} was {(parameter.IsFrozen ? "" : "un")}frozen after this tape was recorded: record a new one.");
        (Device.BackwardPasses, _tenant.HasGradients) = (Device.BackwardPasses + 1, true);
        foreach (var tensor in _targets) tensor.HasGrad = true;
        foreach (var other in _others)
        {
            if (other.HasGrad) Device.Upload(new float[other.Shape.Count], other.Grad); // what another tape has left
            other.HasGrad = false;
        }
        foreach (var store in _stores) store.GradientVersion++;
    }

    long ICapturedRun.Changes()
    {
        if (_byValue.Length != _forward.Length) _byValue = new float[_forward.Length];
        for (int i = 0; i < _byValue.Length; i++)
        {
            float now = _forward[i].CapturedScalar;
            if (now.Equals(_byValue[i])) continue;
            _byValue[i] = now;
            _changes++;
        }
        return _changes;
    }

    /// <summary>Adds a node: the last step of recording an op.</summary>
    /// <exception cref="InvalidOperationException">The tape has already run, or a list of the node's is null.</exception>
    public T Record<T>(T node) where T : Node
    {
        if (_plan is not null) throw new InvalidOperationException($"{node.Op}: the tape has run already; record before the first run.");
        if (node.Inputs is null || node.Outputs is null || node.Saved is null)
            throw new InvalidOperationException($"{node.Op}: Inputs, Outputs or Saved is null: give a list, which may be empty.");
        _nodes.Add(node);
        foreach (var output in node.Outputs)
            output.NeedsGrad = node.NeedsGrad;
        return node;
    }

    /// <summary>
    /// An input of a node that is about to be recorded, for kernels that take <see cref="Edge.Operand"/> and
    /// <see cref="Edge.ThroughOperand"/> and so apply a batch norm's scale and shift while loading.
    /// </summary>
    /// <exception cref="InvalidOperationException">The tensor belongs to another tape, or is on another device.</exception>
    public Edge AddInput(Tensor tensor)
    {
        if (Argument.Given(tensor).Device != Device)
            throw new InvalidOperationException(
                $"{tensor} is on another device than the tape: record a network on a tape of its own device, new Tape(net.Device).");
        if (tensor.Maker is not null && tensor.Maker != _tenant)
            throw new InvalidOperationException($"{tensor} belongs to another tape: copy its values to a tensor made by Tensor.Create.");
        return new Edge(tensor, Wants(tensor));
    }

    /// <summary>Like <see cref="AddInput"/>, for kernels that need stored values (<see cref="Edge.Data"/>).</summary>
    public Edge AddStoredInput(Tensor tensor) => AddInput(tensor.View is null ? tensor : Materialize.Record(this, tensor));

    /// <summary>
    /// An output of a node, or a value that it keeps for its backward pass: the plan places the tensors in <see cref="Node.Outputs"/>.
    /// </summary>
    public Tensor NewTensor(Shape shape, Layout layout, string name) => NewTensor(shape, layout, name, null);

    internal Tensor NewTensor(Shape shape, Layout layout, string name, AffineView? view) =>
        new(Device, shape, layout, name) { View = view, Maker = _tenant };

    /// <summary>
    /// A packed copy of a weight, of that many words, filled by <paramref name="make"/>; nodes that use the same key share it. What the
    /// tape computes itself is packed again in each pass.
    /// </summary>
    public PackedWeight Derive<TKey>(Tensor weight, TKey key, long length, Action<IKernels, DeviceBuffer> make) where TKey : notnull
    {
        if (!_derived.TryGetValue((weight, key), out var derived))
            _derived[(weight, key)] = derived = new(this, weight,
                NewTensor(new Shape(1, checked((int)length)), Layout.Plain, $"form of {weight.Name}"), make);
        return derived;
    }

    /// <summary>Allocates zeroed memory that a node keeps between runs, until <see cref="Release"/>.</summary>
    public DeviceBuffer Allocate(long words)
    {
        _memory.Add(Device.Allocate(words));
        return _memory[^1];
    }

    /// <summary>A tensor of values in NCHW order that an op needs in every run, until <see cref="Release"/>.</summary>
    public Tensor Constant(Shape shape, ReadOnlySpan<float> values, string name)
    {
        var tensor = Tensor.From(Device, shape, values, name: name);
        _memory.Add(tensor.Data);
        return tensor;
    }

    /// <summary>Frees what was allocated for its nodes, after the last run; else the device does when it is disposed.</summary>
    public void Release() => _memory.ForEach(Device.Free);

    private bool Wants(Tensor tensor)
    {
        if (tensor is not Parameter parameter) return tensor.NeedsGrad && (!tensor.IsPersistent || (Gradients & Gradients.Inputs) != 0);
        _parameters.Add((parameter, parameter.IsFrozen));
        return !parameter.IsFrozen && (Gradients & Gradients.Parameters) != 0;
    }

    private static Tensor Stored(Tensor tensor) => tensor.View?.Source ?? tensor;

    /// <summary>Plans, takes over the arena, and runs the host's part of each node.</summary>
    private void Enter()
    {
        (_tenant.Steps, _tenant.HasGradients, _hasValues) = (0, false, false);
        _plan ??= Plan();
        Device.Arena.Reserve(_plan.Length);
        Device.Arena.Enter(_tenant);
        if (_boundGeneration != Device.Arena.Generation) _plan.Bind(Device.Arena);
        _boundGeneration = Device.Arena.Generation;
        foreach (var node in _prologue) node.HostPrologue();
    }

    private void Queue(Node[] nodes, bool backward)
    {
        _passes++;
        foreach (var node in nodes)
        {
            _tenant.Steps = backward ? 2 * _forward.Length - _places[node] : _places[node] + 1;
            OnNode?.Invoke(node, backward);
            if (backward) node.Backward(Device.Kernels);
            else node.Forward(Device.Kernels);
        }
        _tenant.Steps = backward ? 2 * _forward.Length : _forward.Length;
        OnNode?.Invoke(null, backward);
    }

    private MemoryPlan Plan()
    {
        _nodes = LayerOrder.Sort(_nodes);
        var plan = MemoryPlan.Make(_nodes, _kept, KeepsDerivedWeights);
        _forward = [.. _nodes];
        _backward = [.. plan.Backward];
        _prologue = [.. _nodes.OrderBy(node => node is not LossTerm)]; // labels are checked before batches are counted
        _targets = [.. _backward.SelectMany(node => node.Inputs).Select(edge => edge.Target).OfType<Tensor>().Where(t => t.IsPersistent)];
        _stores = [.. _targets.OfType<Parameter>().Select(parameter => parameter.Store).Distinct()];
        _others = [.. _stores.SelectMany(store => store.Parameters).Except(_targets.OfType<Parameter>())];
        _places = _forward.Select((node, place) => (node, place)).ToDictionary();
        return plan;
    }
}
