namespace Rpat.Engine.Ops;

/// <summary>Recording of functions of two tensors.</summary>
public static class BinaryOp
{
    /// <summary>
    /// f(a, b) of each pair of values, in a's size and layout. b has a's size and layout, or it is plain and spread over a:
    /// <c>[N, C]</c> per sample and channel, <c>[1, C]</c> or a parameter of C values per channel, <c>[N, 1]</c> per sample, <c>[1, 1]</c>.
    /// </summary>
    /// <exception cref="ShapeException">The sizes or layouts do not fit.</exception>
    public static Tensor Binary<TOp>(this Tape tape, TOp op, Tensor a, Tensor b) where TOp : struct, IBinary
    {
        Shape s = Argument.Given(a).Shape, t = Argument.Given(b).Shape;
        bool same = s == t && a.Layout == b.Layout;
        ShapeException.Require(same || (b.Layout == Layout.Plain && t.Area == 1 && (t.N == 1 || t.N == s.N) && (t.C == 1 || t.C == s.C)),
            typeof(TOp).Name, $"{a} and {b} differ in size or layout");
        var shape = same ? new BinaryShape(s, a.Layout) : new BinaryShape(s, a.Layout, true, t.N == 1 ? 0 : t.C, t.C == 1 ? 0 : 1);
        return tape.Record(new BinaryNode<TOp>(tape, op, shape, a, b)).Output;
    }
}

internal sealed class BinaryNode<TOp> : OpNode where TOp : struct, IBinary
{
    private readonly TOp _op;
    private readonly BinaryShape _shape;
    private readonly Edge _a, _b;

    public BinaryNode(Tape tape, TOp op, BinaryShape shape, Tensor a, Tensor b)
    {
        (_op, _shape, _a, _b) = (op, shape, tape.AddStoredInput(a), tape.AddStoredInput(b));
        Connect([_a, _b], tape.NewTensor(a.Shape, a.Layout, typeof(TOp).Name));
    }

    public override string Op => typeof(TOp).Name;
    public override IEnumerable<Tensor> Saved => [_a.Stored, _b.Stored];

    public override void Forward(IKernels k) => k.Binary(_op, _shape, _a.Data, _b.Data, Output.Data);

    public override void Backward(IKernels k)
    {
        if (_a.NeedsGrad) k.BinaryGradient(_op, _shape, _a.Data, _b.Data, Output.Grad, byB: false, _a.Accumulate, _a.Grad);
        if (_b.NeedsGrad) k.BinaryGradient(_op, _shape, _a.Data, _b.Data, Output.Grad, byB: true, _b.Accumulate, _b.Grad);
    }
}

/// <summary>a + factor·b.</summary>
public readonly struct Add(double factor) : IBinary
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Value<T>(T a, T b) where T : struct, IReal<T> => a + factor * b;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T ByA<T>(T a, T b) where T : struct, IReal<T> => 1;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T ByB<T>(T a, T b) where T : struct, IReal<T> => factor;
}
