namespace Rpat.Engine.Tensors;

/// <summary>
/// A tensor that is not stored: h = [ReLU](scale·source + shift) with one scale and shift per channel. Batch norm and input normalisation
/// create such views; the ops that read them apply the map while loading, so h is never written to memory. Zero padding is zero
/// <i>after</i> the map.
/// </summary>
/// <param name="Scale">One factor per channel, padded with zeros to the layout's channel block.</param>
/// <param name="Shift">One summand per channel, padded in the same way.</param>
/// <param name="Relu">Whether negative values become zero.</param>
/// <param name="Constant">
/// Scale and shift do not depend on the source and have no gradient, so ∂loss/∂source = scale·[h &gt; 0]·∂loss/∂h element by
/// element, and the consumer's gradient kernel can write it directly (batch norm in eval mode during an attack).
/// </param>
public sealed record AffineView(Tensor Source, Tensor Scale, Tensor Shift, bool Relu, bool Constant);
