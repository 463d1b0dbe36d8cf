namespace Rpat.Engine.Gpu.Queues;

/// <summary>
/// How convolutions multiply, and how activations are stored. Weights, sums, statistics, plain tensors such as images and logits, and the
/// arithmetic of every other op are float32 in each case.
/// </summary>
public enum Precision
{
    /// <summary>float32 products on the CUDA cores.</summary>
    Fp32,

    /// <summary>Tensor cores, factors rounded to TF32 (10 bits of mantissa).</summary>
    Tf32,

    /// <summary>
    /// Tensor cores, factors rounded to bfloat16 (7 bits of mantissa). Activations and their gradients are stored in bfloat16 too: half of
    /// the memory and of its traffic.
    /// </summary>
    Bf16,
}
