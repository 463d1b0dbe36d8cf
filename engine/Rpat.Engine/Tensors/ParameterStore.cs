namespace Rpat.Engine.Tensors;

/// <summary>
/// All parameters of a network in one flat device buffer, and their gradients in another, so that the optimizer, weight
/// averaging and gradient norms are each one loop. Parameters are declared first; <see cref="Allocate"/> allocates.
/// </summary>
public sealed class ParameterStore(Device device)
{
    private readonly List<Parameter> _parameters = [];
    private DeviceBuffer? _values;
    private DeviceBuffer? _gradients;

    /// <summary>The device that holds the values.</summary>
    public Device Device { get; } = Argument.Given(device);

    /// <summary>All parameters in declaration order, which is PyTorch's.</summary>
    public IReadOnlyList<Parameter> Parameters => _parameters;

    /// <summary>Number of trained values.</summary>
    public long Count { get; private set; }

    /// <summary>All values, in declaration order.</summary>
    public DeviceBuffer Values => _values ?? throw NotSealed();

    /// <summary>All gradients, in the same order.</summary>
    public DeviceBuffer Gradients => _gradients ?? throw NotSealed();

    /// <summary>Incremented whenever values change.</summary>
    public long Version { get; private set; } = 1;

    /// <summary>Call this after changing values.</summary>
    public void BumpVersion() => Version++;

    /// <summary>Incremented whenever gradients are computed: an optimizer steps along new gradients only.</summary>
    public long GradientVersion { get; internal set; }

    /// <summary>Call this after writing <see cref="Gradients"/> without a tape.</summary>
    public void BumpGradientVersion()
    {
        GradientVersion++;
        foreach (var parameter in _parameters) parameter.HasGrad = true;
    }

    /// <summary>Declares a parameter, trained from then on.</summary>
    /// <param name="dimensions">Sizes in PyTorch's order; their product is the shape's count.</param>
    /// <exception cref="InvalidOperationException">The parameters are allocated already, or one has that name.</exception>
    /// <exception cref="ShapeException">The dimensions are of another number of values.</exception>
    public Parameter Declare(string name, Shape shape, params int[] dimensions)
    {
        if (_values is not null) throw new InvalidOperationException($"{name}: the store is sealed already.");
        if (_parameters.Exists(one => one.Name == name)) throw new InvalidOperationException($"Two parameters are called '{name}'.");
        ShapeException.Require(Argument.Given(dimensions).Aggregate(1L, (count, size) => count * size) == shape.Count, "Declare",
            $"{name} [{string.Join(", ", dimensions)}] is of another number of values than {shape}");
        var parameter = new Parameter(this, name, shape, dimensions) { NeedsGrad = true };
        _parameters.Add(parameter);
        Count += shape.Count;
        return parameter;
    }

    /// <summary>Allocates values and gradients and assigns each parameter its range.</summary>
    /// <exception cref="InvalidOperationException">They are allocated already.</exception>
    public void Allocate()
    {
        if (_values is not null) throw new InvalidOperationException("The store is allocated already: its values would be lost.");
        _values = Device.Allocate(Count);
        _gradients = Device.Allocate(Count);
        long offset = 0;
        foreach (var parameter in _parameters)
        {
            parameter.Data = _values.View(offset, parameter.Shape.Count);
            parameter.Grad = _gradients.View(offset, parameter.Shape.Count);
            offset += parameter.Shape.Count;
        }
    }

    private static InvalidOperationException NotSealed() => new("The network's parameters are not allocated yet.");
}
