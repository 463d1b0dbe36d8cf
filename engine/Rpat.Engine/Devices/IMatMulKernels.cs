namespace Rpat.Engine.Devices;

/// <summary>Sizes of a batch of matrix products, all plain and row-major: c <c>[M, N]</c> = a <c>[M, K]</c>·b <c>[K, N]</c>, where a
/// is stored as <c>[K, M]</c> and b as <c>[N, K]</c> if transposed.</summary>
public readonly record struct MatMulShape(int Batch, int M, int N, int K, bool TransposeA, bool TransposeB);

/// <summary>The kernel of batched matrix products; both gradients are such products again.</summary>
public interface IMatMulKernels
{
    /// <summary>c (+)= a·b.</summary>
    void MatMul(in MatMulShape s, DeviceBuffer a, DeviceBuffer b, bool accumulate, DeviceBuffer c);
}
