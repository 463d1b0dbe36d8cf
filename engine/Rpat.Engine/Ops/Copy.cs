namespace Rpat.Engine.Ops;

/// <summary>Recording of copies.</summary>
public static class CopyOp
{
    /// <summary>Copies each input into its part of one output; together they write all of it.</summary>
    /// <param name="op">Name of the op in messages and profiles.</param>
    /// <param name="shapes">One per input, all with the same To.</param>
    /// <param name="detached">Whether the gradient stops here.</param>
    /// <exception cref="ShapeException">An input has another size or layout than its shape says.</exception>
    public static Tensor Copy(this Tape tape, string op, IReadOnlyList<Tensor> inputs, IReadOnlyList<CopyShape> shapes,
        bool detached = false)
    {
        foreach (var (x, s) in inputs.Zip(shapes))
            ShapeException.Require(Argument.Given(x).Shape.Count == s.From.Count && (x.View?.Source ?? x).Layout == s.FromLayout
                && s.To == shapes[0].To && (x.Shape == s.From || s.FromLayout == Layout.Plain), op, $"{x} does not fit {s.From}");
        return tape.Record(new CopyNode(tape, op, inputs, shapes, detached)).Output;
    }
}

internal sealed class CopyNode : OpNode
{
    private readonly IReadOnlyList<CopyShape> _shapes, _back;

    public CopyNode(Tape tape, string op, IReadOnlyList<Tensor> inputs, IReadOnlyList<CopyShape> shapes, bool detached)
    {
        (Op, _shapes, _back) = (op, shapes, [.. shapes.Select(shape => shape.Inverse)]);
        var edges = inputs.Select(tape.AddStoredInput);
        Connect([.. detached ? edges.Select(x => Edge.Constant(x.Tensor)) : edges],
            tape.NewTensor(shapes[0].To, shapes[0].ToLayout, inputs.Count == 1 ? inputs[0].Name : op.ToLowerInvariant()));
    }

    public override string Op { get; }

    public override void Forward(IKernels k)
    {
        for (int i = 0; i < Inputs.Count; i++) k.Copy(_shapes[i], Inputs[i].Data, false, Output.Data);
    }

    public override void Backward(IKernels k)
    {
        for (int i = 0; i < Inputs.Count; i++)
            if (Inputs[i].NeedsGrad) k.Copy(_back[i], Output.Grad, Inputs[i].Accumulate, Inputs[i].Grad);
    }
}
