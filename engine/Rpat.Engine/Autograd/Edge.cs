namespace Rpat.Engine.Autograd;

/// <summary>One input of a node: where its values come from, and where its gradient goes.</summary>
public sealed class Edge
{
    internal Edge(Tensor tensor, bool needsGrad)
    {
        Tensor = tensor;
        View = tensor.View;
        Stored = View?.Source ?? tensor;
        if (!needsGrad) return;
        // A constant view passes the gradient straight to its source; others collect it for the node that made the view.
        Through = View is { Constant: true } ? View : null;
        Target = Through is null ? tensor : Stored;
    }

    /// <summary>The tensor as it was recorded.</summary>
    public Tensor Tensor { get; }

    /// <summary>The tensor whose memory is read.</summary>
    public Tensor Stored { get; }

    /// <summary>The map applied while reading, if any.</summary>
    internal AffineView? View { get; }

    /// <summary>The tensor whose gradient is written; null if no gradient is needed.</summary>
    internal Tensor? Target { get; }

    /// <summary>The constant view whose derivative the gradient is multiplied by on its way, if any.</summary>
    internal AffineView? Through { get; }

    /// <summary>Whether a gradient is needed.</summary>
    public bool NeedsGrad => Target is not null;

    /// <summary>False for a gradient's first writer in a backward pass, which stores; later ones add, in the order of the inputs.</summary>
    public bool Accumulate { get; internal set; }

    /// <summary>The gradient shares its memory with the gradient of the node's output, so nothing needs copying.</summary>
    public bool SharesOutputGrad { get; internal set; }

    /// <summary>Every tensor whose memory is read to get this input's values.</summary>
    public IEnumerable<Tensor> Reads => View is null ? [Stored] : [Stored, View.Scale, View.Shift];

    /// <summary>The input as a kernel operand.</summary>
    public Operand Operand => Read(View);

    /// <summary>The operand with which a gradient kernel applies <see cref="Through"/>'s derivative; without one it reads no value.</summary>
    public Operand ThroughOperand => Through is null ? Stored.Data : Read(Through);

    /// <summary>Stored values without any map.</summary>
    /// <exception cref="InvalidOperationException">A backward pass reads what <see cref="Node.Saved"/> does not list.</exception>
    public DeviceBuffer Data => Stored.Present;

    /// <summary>Where the gradient goes.</summary>
    public DeviceBuffer Grad => Target!.Grad;

    /// <summary>An input that no gradient reaches.</summary>
    public static Edge Constant(Tensor tensor) => new(tensor, needsGrad: false);

    private Operand Read(AffineView? view) =>
        view is null ? Stored.Present : new Operand(Stored.Present, view.Scale.Data, view.Shift.Data, view.Relu);
}
