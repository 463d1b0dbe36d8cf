namespace Rpat.Engine.Gpu.Queues;

/// <summary>
/// How convolutions multiply. Storage, sums and every other op are float32 in each case; what changes is the rounding of the two
/// factors as they enter a product.
/// </summary>
public enum Precision
{
    /// <summary>float32 products on the CUDA cores.</summary>
    Fp32,

    /// <summary>Tensor cores, factors rounded to TF32 (10 bits of mantissa).</summary>
    Tf32,

    /// <summary>Tensor cores, factors rounded to bfloat16 (7 bits of mantissa).</summary>
    Bf16,
}
