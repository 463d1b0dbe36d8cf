namespace Rpat.Nn.Ops;

/// <summary>a·b.</summary>
public readonly struct Multiply : IBinary
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Value<T>(T a, T b) where T : struct, IReal<T> => a * b;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T ByA<T>(T a, T b) where T : struct, IReal<T> => b;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T ByB<T>(T a, T b) where T : struct, IReal<T> => a;
}

/// <summary>a/b.</summary>
public readonly struct Divide : IBinary
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Value<T>(T a, T b) where T : struct, IReal<T> => a / b;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T ByA<T>(T a, T b) where T : struct, IReal<T> => 1 / b;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T ByB<T>(T a, T b) where T : struct, IReal<T> => -a / (b * b);
}

/// <summary>
/// Recording of arithmetic. b has a's size and layout, or is spread over a: plain <c>[N, C]</c>, <c>[1, C]</c>, <c>[N, 1]</c> or
/// <c>[1, 1]</c>; see <see cref="BinaryOp.Binary"/>.
/// </summary>
public static class ArithmeticOps
{
    /// <summary>a + b.</summary>
    /// <exception cref="ShapeException">The sizes or layouts do not fit.</exception>
    public static Tensor Add(this Tape tape, Tensor a, Tensor b) => PointwiseOp.Add(tape, a, b);

    /// <summary>a − b.</summary>
    /// <inheritdoc cref="Add(Tape, Tensor, Tensor)"/>
    public static Tensor Subtract(this Tape tape, Tensor a, Tensor b) => tape.Binary(new Add(-1), a, b);

    /// <summary>a·b.</summary>
    /// <inheritdoc cref="Add(Tape, Tensor, Tensor)"/>
    public static Tensor Multiply(this Tape tape, Tensor a, Tensor b) => tape.Binary(new Multiply(), a, b);

    /// <summary>a/b.</summary>
    /// <inheritdoc cref="Add(Tape, Tensor, Tensor)"/>
    public static Tensor Divide(this Tape tape, Tensor a, Tensor b) => tape.Binary(new Divide(), a, b);
}
