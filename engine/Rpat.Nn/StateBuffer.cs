namespace Rpat.Nn;

/// <summary>Values of a network that are saved with it but not trained (PyTorch: a persistent buffer).</summary>
/// <param name="Name">Name in checkpoints.</param>
/// <param name="Dimensions">Sizes in PyTorch's order; none for a number.</param>
public sealed record StateBuffer(string Name, IReadOnlyList<long> Dimensions)
{
    /// <summary>The values, in row-major order.</summary>
    public float[] Values { get; } = new float[Dimensions.Aggregate(1L, (a, b) => a * b)];

    internal void Set(float[] values) => values.CopyTo(Values, 0);
}
