namespace Rpat.Robust.Ops;

/// <summary>Recording of interpolations with a share per sample.</summary>
public static class SharedLerpOp
{
    /// <summary>a + s(b − a) for plain tensors, a share s for each sample, <c>[N, 1]</c>.</summary>
    /// <exception cref="ShapeException">The sizes differ.</exception>
    public static Tensor Lerp(this Tape tape, Tensor a, Tensor b, Tensor share) =>
        tape.Add(a, tape.Multiply(tape.Subtract(b, a), share));
}
