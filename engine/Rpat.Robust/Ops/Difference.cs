namespace Rpat.Robust.Ops;

/// <summary>Recording of differences.</summary>
public static class DifferenceOp
{
    /// <summary>a − b for plain tensors.</summary>
    /// <exception cref="ShapeException">The sizes differ.</exception>
    public static Tensor Difference(this Tape tape, Tensor a, Tensor b)
    {
        var zero = Tensor.Create(tape.Device, a.Shape, name: "zero");
        return tape.Lerp(tape.Lerp(zero, a, 2), tape.Lerp(zero, b, -2), 0.5f);
    }
}
