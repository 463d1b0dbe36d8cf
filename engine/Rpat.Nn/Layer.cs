namespace Rpat.Nn;

/// <summary>
/// A part of a network that is made before the network is: <see cref="Module.Declare{T}"/> gives it its name and its parameters, then it
/// records itself on any tape. A layer with parameters belongs to one place of one network; others may be used anywhere and often.
/// </summary>
public abstract class Layer
{
    /// <summary>Declares its parameters and the layers in it; nothing by default.</summary>
    /// <param name="name">Its name in checkpoints; <see cref="Join"/> makes those of its parts.</param>
    protected virtual void Declare(Module net, string name)
    {
    }

    /// <summary>Records the layer.</summary>
    public abstract Tensor Record(Tape tape, Tensor x, BnMode bn);

    /// <summary>The layer as PyTorch prints it: a call with its sizes, or only a name if the layers in it are printed.</summary>
    public override string ToString() => Python.Call(GetType().Name);

    /// <summary>The name of a part.</summary>
    protected static string Join(string name, string part) => name.Length == 0 ? part : $"{name}.{part}";

    private protected static int Positive(string layer, int size, [CallerArgumentExpression(nameof(size))] string name = "") =>
        size > 0 ? size : throw new ShapeException(layer, $"{name} {size} must be positive");

    private protected T Declared<T>(T? part) where T : class => part ?? throw new InvalidOperationException(
        $"{this} has no parameters yet: whatever it is in declares it in a network (net.Declare) before it is recorded.");

    internal void DeclareIn(Module net, string name)
    {
        if (_isTaken)
            throw new InvalidOperationException($"{this} has parameters and belongs to a network already: make a layer for each.");
        int before = net.Declared;
        Declare(net, name);
        _isTaken = net.Declared > before;
    }

    private bool _isTaken;
}

/// <summary>Layers one after the other, named 0, 1, 2 and so on.</summary>
public sealed class Sequential(params IReadOnlyList<Layer> layers) : Layer
{
    /// <summary>The layers.</summary>
    public IReadOnlyList<Layer> Layers { get; } = Bound.Given(layers).Any(layer => layer is null)
        ? throw new ArgumentNullException(nameof(layers)) : layers;

    /// <inheritdoc/>
    protected override void Declare(Module net, string name)
    {
        for (int i = 0; i < Layers.Count; i++) net.Declare(Join(name, $"{i}"), Layers[i]);
    }

    /// <summary>Records the layers; a ReLU right after a batch norm is part of its view.</summary>
    public override Tensor Record(Tape tape, Tensor x, BnMode bn)
    {
        for (int i = 0; i < Layers.Count; i++)
            if (Layers[i] is BatchNorm norm && i + 1 < Layers.Count && Layers[i + 1] is Activation { IsRelu: true })
            {
                x = norm.Record(tape, x, bn, relu: true);
                i++;
            }
            else x = Layers[i].Record(tape, x, bn);
        return x;
    }

    /// <inheritdoc/>
    public override string ToString() => nameof(Sequential);
}

/// <summary>shortcut(x) + body(x); x itself without a shortcut.</summary>
/// <param name="relu">Whether a ReLU follows.</param>
public sealed class Residual(Layer body, Layer? shortcut = null, bool relu = false) : Layer
{
    private readonly Layer _body = Bound.Given(body);

    /// <inheritdoc/>
    protected override void Declare(Module net, string name)
    {
        net.Declare(Join(name, "body"), _body);
        if (shortcut is not null) net.Declare(Join(name, "shortcut"), shortcut);
    }

    /// <inheritdoc/>
    public override Tensor Record(Tape tape, Tensor x, BnMode bn)
    {
        Tensor side = shortcut?.Record(tape, x, bn) ?? x, sum = tape.Add(_body.Record(tape, x, bn), side);
        return relu ? tape.Relu(sum) : sum;
    }

    /// <inheritdoc/>
    public override string ToString() => nameof(Residual);
}

/// <summary>
/// Squeeze and excite (Hu et al., 2018): each channel times a factor that two 1×1 convolutions compute from the means of all, named
/// <c>fc1</c> and <c>fc2</c>.
/// </summary>
/// <param name="reduced">Channels between the two.</param>
/// <param name="activation">Between the two; ReLU if not given.</param>
/// <exception cref="ShapeException">A number of channels is below 1.</exception>
public sealed class SqueezeExcite(int channels, int reduced, Activation? activation = null) : Layer
{
    private readonly Linear _squeeze = new(channels, Positive(nameof(SqueezeExcite), reduced), asConvolution: true),
        _excite = new(reduced, channels, asConvolution: true);

    /// <inheritdoc/>
    protected override void Declare(Module net, string name)
    {
        net.Declare(Join(name, "fc1"), _squeeze);
        net.Declare(Join(name, "fc2"), _excite);
    }

    /// <inheritdoc/>
    public override Tensor Record(Tape tape, Tensor x, BnMode bn)
    {
        Tensor means = _squeeze.Record(tape, tape.GlobalAveragePool(x), bn);
        means = (activation ?? Activation.Relu).Record(tape, means, bn);
        return tape.Multiply(x, tape.Sigmoid(_excite.Record(tape, means, bn)));
    }

    /// <inheritdoc/>
    public override string ToString() => nameof(SqueezeExcite);
}
