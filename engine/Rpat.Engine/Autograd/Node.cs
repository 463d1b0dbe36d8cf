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

    /// <summary>What distinguishes this node among those of its op, such as a convolution's kernel and algorithm; empty for most.</summary>
    public virtual string Detail => "";

    /// <summary>
    /// The numbers that an op was recorded with, by name, for whoever translates a tape: kernel, stride and padding of a convolution, 1 for
    /// relu where an op ends with one.
    /// </summary>
    public virtual IReadOnlyDictionary<string, int> Attributes => ReadOnlyDictionary<string, int>.Empty;

    /// <summary>The inputs, parameters included.</summary>
    public abstract IReadOnlyList<Edge> Inputs { get; }

    /// <summary>What the node makes.</summary>
    public abstract IReadOnlyList<Tensor> Outputs { get; }

    /// <summary>Tensors whose values <see cref="Backward"/> reads, in addition to the gradients.</summary>
    public virtual IEnumerable<Tensor> Saved => [];

    /// <summary>Derived copies of weights that <see cref="Forward"/> reads.</summary>
    public virtual IEnumerable<PackedWeight> ForwardWeights => [];

    /// <summary>Derived copies of weights that <see cref="Backward"/> reads.</summary>
    public virtual IEnumerable<PackedWeight> BackwardWeights => [];

    /// <summary>An input whose gradient equals the output's: it may share the memory (a residual branch).</summary>
    public virtual Edge? PassThrough => null;

    /// <summary>Multiply-adds of one forward pass of layers that multiply by weights (the direct method); 0 for all else.</summary>
    public virtual double MultiplyAdds => 0;

    /// <summary>Whether the backward pass starts here, as at a loss, instead of needing a gradient of an output.</summary>
    public virtual bool StartsBackward => false;

    /// <summary>Whether any input wants a gradient.</summary>
    public bool NeedsGrad => Inputs.Any(e => e.NeedsGrad);

    /// <summary>
    /// A number of the host that may change between runs and that kernels get by value: a run recorded with another one is not
    /// launched again. Everything else that kernels get by value is fixed when the node is recorded.
    /// </summary>
    public virtual float CapturedScalar => 0;

    /// <summary>
    /// What the host does in each run before the first kernel is queued: labels are checked, batches counted. A
    /// recorded run calls this too, but neither <see cref="Forward"/> nor <see cref="Backward"/>.
    /// </summary>
    public virtual void HostPrologue()
    {
    }

    /// <summary>Computes the outputs.</summary>
    public abstract void Forward(IKernels kernels);

    /// <summary>Computes the wanted gradients of the inputs.</summary>
    public abstract void Backward(IKernels kernels);
}
