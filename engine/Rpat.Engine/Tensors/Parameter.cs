namespace Rpat.Engine.Tensors;

/// <summary>A trained tensor: part of a <see cref="ParameterStore"/>, in PyTorch's name, shape and row-major order.</summary>
public sealed class Parameter : Tensor
{
    internal Parameter(ParameterStore store, string name, Shape shape, int[] dimensions)
        : base(store.Device, shape, Layout.Plain, name)
    {
        (Store, Dimensions, IsPersistent) = (store, dimensions, true);
    }

    /// <summary>The store that holds the values, gradients and momentum.</summary>
    public ParameterStore Store { get; }

    /// <summary>Sizes in PyTorch's order: [out, in, kH, kW], [out, in] or [channels].</summary>
    public IReadOnlyList<int> Dimensions { get; }

    /// <summary>Whether the parameter is left as it is: tapes that are recorded from now on compute no gradient of it, and optimizers
    /// that are made from now on do not move it.</summary>
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
