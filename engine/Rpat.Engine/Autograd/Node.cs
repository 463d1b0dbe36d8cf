using System.Collections.ObjectModel;

namespace Rpat.Engine.Autograd;

/// <summary>
/// One recorded op: <see cref="Forward"/> computes the output from the inputs, <see cref="Backward"/> the inputs' gradients
/// from the output's. Both only launch kernels and allocate nothing, so that a tape can be replayed.
/// </summary>
public abstract class Node
{
    /// <summary>Name of the op in messages and profiles.</summary>
    public abstract string Op { get; }

    /// <summary>
    /// What distinguishes this node from others of the same op, such as a convolution's kernel size and algorithm; mostly empty.
    /// </summary>
    public virtual string Detail => "";

    /// <summary>
    /// The integers that an op was recorded with, by name, for code that translates a tape: kernel, stride and padding of a convolution,
    /// relu = 1 for an op that ends with a ReLU.
    /// </summary>
    public virtual IReadOnlyDictionary<string, int> Attributes => ReadOnlyDictionary<string, int>.Empty;

    /// <summary>The inputs, parameters included.</summary>
    public abstract IReadOnlyList<Edge> Inputs { get; }

    /// <summary>The node's outputs.</summary>
    public abstract IReadOnlyList<Tensor> Outputs { get; }

    /// <summary>Tensors whose values <see cref="Backward"/> reads, in addition to the gradients.</summary>
    public virtual IEnumerable<Tensor> Saved => [];

    /// <summary>Packed copies of weights that <see cref="Forward"/> reads.</summary>
    public virtual IEnumerable<PackedWeight> ForwardWeights => [];

    /// <summary>Packed copies of weights that <see cref="Backward"/> reads.</summary>
    public virtual IEnumerable<PackedWeight> BackwardWeights => [];

    /// <summary>An input whose gradient equals the output's and may share its memory (a residual branch).</summary>
    public virtual Edge? PassThrough => null;

    /// <summary>Multiply-adds of one forward pass of a layer with weights (by the direct method); 0 for other nodes.</summary>
    public virtual double MultiplyAdds => 0;

    /// <summary>Whether the backward pass starts here, as at a loss, and needs no gradient of an output.</summary>
    public virtual bool StartsBackward => false;

    /// <summary>Whether any input needs a gradient.</summary>
    public bool NeedsGrad => Inputs.Any(e => e.NeedsGrad);

    /// <summary>
    /// A host number that may change between runs and that kernels get by value: when it changes, a recorded run is recorded again. All
    /// other by-value kernel arguments are fixed when the node is recorded.
    /// </summary>
    public virtual float CapturedScalar => 0;

    /// <summary>
    /// What the host does in each run before the first kernel is queued: labels are checked, batches counted. A captured run calls this
    /// too, but neither <see cref="Forward"/> nor <see cref="Backward"/>.
    /// </summary>
    public virtual void HostPrologue()
    {
    }

    /// <summary>Computes the outputs.</summary>
    public abstract void Forward(IKernels kernels);

    /// <summary>Computes the gradients that the inputs need.</summary>
    public abstract void Backward(IKernels kernels);
}

/// <summary>A node of the engine: its first output is the op's result.</summary>
internal abstract class OpNode : Node
{
    private IReadOnlyList<Edge> _inputs = [];
    private IReadOnlyList<Tensor> _outputs = [];

    public Tensor Output => _outputs[0];
    public override IReadOnlyList<Edge> Inputs => _inputs;
    public override IReadOnlyList<Tensor> Outputs => _outputs;

    protected void Connect(IReadOnlyList<Edge> inputs, params Tensor[] outputs) => (_inputs, _outputs) = (inputs, outputs);
}
