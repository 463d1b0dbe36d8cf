namespace Rpat.Engine.Ops;

/// <summary>
/// Joins two batches into one and splits one into two, for methods that send two inputs through the network in one forward pass, so that
/// batch norms see a single batch. Both copy, with the kernel of interpolation's gradient.
/// </summary>
public static class StackOp
{
    /// <summary>The samples of a, then those of b: plain tensors of one shape → <c>[2N, …]</c>.</summary>
    /// <exception cref="ShapeException">The sizes differ, or a tensor is not plain.</exception>
    public static Tensor Stack(this Tape tape, Tensor a, Tensor b)
    {
        ShapeException.Require(a.Shape == b.Shape, "Stack", $"{a} and {b} differ in size");
        ShapeException.Require(a.Layout == Layout.Plain && b.Layout == Layout.Plain, "Stack", $"{a} and {b} must be plain");
        return tape.Record(new StackNode(tape, a, b)).Output;
    }

    /// <summary>
    /// The first and the second half of the samples of a plain tensor <c>[2N, …]</c>; if gradients are needed, a loss must depend on both.
    /// </summary>
    /// <exception cref="ShapeException">The number of samples is odd, or the tensor is not plain.</exception>
    public static (Tensor First, Tensor Second) Halves(this Tape tape, Tensor both)
    {
        ShapeException.Require(both.Shape.N % 2 == 0, "Halves", $"{both} has no two halves");
        ShapeException.Require(both.Layout == Layout.Plain, "Halves", $"{both} must be plain");
        var node = tape.Record(new HalvesNode(tape, both));
        return (node.First, node.Second);
    }
}

/// <summary>The halves of a buffer, kept so that a replay allocates nothing.</summary>
internal struct BufferHalves
{
    private DeviceBuffer? _whole;
    private DeviceBuffer? _first;
    private DeviceBuffer? _second;

    public (DeviceBuffer First, DeviceBuffer Second) Of(DeviceBuffer whole, long half)
    {
        if (!ReferenceEquals(_whole, whole)) (_whole, _first, _second) = (whole, whole.View(0, half), whole.View(half, half));
        return (_first!, _second!);
    }
}

internal sealed class StackNode : Node
{
    private readonly Edge _a;
    private readonly Edge _b;
    private readonly long _half;
    private BufferHalves _data;
    private BufferHalves _grad;

    public StackNode(Tape tape, Tensor a, Tensor b)
    {
        (_a, _b, _half) = (tape.AddStoredInput(a), tape.AddStoredInput(b), a.Shape.Count);
        Output = tape.NewTensor(a.Shape.WithBatch(2 * a.Shape.N), Layout.Plain, "stack");
        (Inputs, Outputs) = ([_a, _b], [Output]);
    }

    public Tensor Output { get; }
    public override string Op => "Stack";
    public override IReadOnlyList<Edge> Inputs { get; }
    public override IReadOnlyList<Tensor> Outputs { get; }

    public override void Forward(IKernels k)
    {
        var (first, second) = _data.Of(Output.Data, _half);
        k.Scale(_half, _a.Data, 1, accumulate: false, first);
        k.Scale(_half, _b.Data, 1, accumulate: false, second);
    }

    public override void Backward(IKernels k)
    {
        var (first, second) = _grad.Of(Output.Grad, _half);
        if (_a.NeedsGrad) k.Scale(_half, first, 1, _a.Accumulate, _a.Grad);
        if (_b.NeedsGrad) k.Scale(_half, second, 1, _b.Accumulate, _b.Grad);
    }
}

internal sealed class HalvesNode : Node
{
    private readonly Edge _both;
    private readonly long _half;
    private BufferHalves _data;
    private BufferHalves _grad;

    public HalvesNode(Tape tape, Tensor both)
    {
        (_both, _half) = (tape.AddStoredInput(both), both.Shape.Count / 2);
        var shape = both.Shape.WithBatch(both.Shape.N / 2);
        (First, Second) = (tape.NewTensor(shape, Layout.Plain, "first half"), tape.NewTensor(shape, Layout.Plain, "second half"));
        (Inputs, Outputs) = ([_both], [First, Second]);
    }

    public Tensor First { get; }
    public Tensor Second { get; }
    public override string Op => "Halves";
    public override IReadOnlyList<Edge> Inputs { get; }
    public override IReadOnlyList<Tensor> Outputs { get; }

    public override void Forward(IKernels k)
    {
        var (first, second) = _data.Of(_both.Data, _half);
        k.Scale(_half, first, 1, accumulate: false, First.Data);
        k.Scale(_half, second, 1, accumulate: false, Second.Data);
    }

    public override void Backward(IKernels k)
    {
        var (first, second) = _grad.Of(_both.Grad, _half);
        k.Scale(_half, First.Grad, 1, _both.Accumulate, first);
        k.Scale(_half, Second.Grad, 1, _both.Accumulate, second);
    }
}
