namespace Rpat.Engine.Tensors;

/// <summary>A trained tensor: part of a <see cref="ParameterStore"/>, in PyTorch's name, shape and row-major order.</summary>
public sealed class Parameter : Tensor
{
    internal Parameter(ParameterStore store, string name, Shape shape, int[] dimensions) : base(store.Device, shape, Layout.Plain, name) =>
        (Store, Dimensions, IsPersistent) = (store, dimensions, true);

    /// <summary>The store that holds the values and gradients.</summary>
    public ParameterStore Store { get; }

    /// <summary>Sizes in PyTorch's order: [out, in, kH, kW], [out, in] or [channels].</summary>
    public IReadOnlyList<int> Dimensions { get; }

    /// <summary>Whether the parameter is left as it is: optimizers do not move it from their next step on. After a change record a new
    /// tape; those that compute gradients of parameters refuse to run with another value than they were recorded with.</summary>
    public bool IsFrozen { get; set; }

    /// <inheritdoc/>
    public override void Upload(ReadOnlySpan<float> values)
    {
        base.Upload(values);
        Store.BumpVersion();
    }

    /// <summary>Changes whenever the values change, so that packed copies can tell that they are stale.</summary>
    public long Version => Store.Version;
}
