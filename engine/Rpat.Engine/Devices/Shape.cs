namespace Rpat.Engine.Devices;

/// <summary>
/// Logical size of a tensor, always <c>[N, C, H, W]</c>: samples, channels, rows and columns of a map; matrices are <c>[N, C, 1, 1]</c>.
/// </summary>
public readonly record struct Shape(int N, int C, int H = 1, int W = 1)
{
    /// <summary>Number of elements.</summary>
    public long Count => checked((long)N * C * H * W);

    /// <summary>Pixels of one map, H·W.</summary>
    public int Area => H * W;

    /// <summary>Elements of one sample, C·H·W.</summary>
    public int SampleCount => C * H * W;

    /// <summary>The same sample shape for another batch size.</summary>
    public Shape WithBatch(int n) => this with { N = n };

    /// <inheritdoc/>
    public override string ToString() => H == 1 && W == 1 ? $"[{N}, {C}]" : $"[{N}, {C}, {H}, {W}]";
}

/// <summary>A tensor's layout in device memory.</summary>
public enum Layout
{
    /// <summary>Row-major NCHW without padding: images, logits, parameters.</summary>
    Plain,

    /// <summary>The device's own activation layout (CPU: nChw16c), never seen by users.</summary>
    Blocked,
}
