using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>Batched products of the size of attention's: one value per thread, adjacent threads in adjacent columns.</summary>
internal abstract partial class GpuKernels : IMatMulKernels
{
    public void MatMul(in MatMulShape s, DeviceBuffer a, DeviceBuffer b, bool accumulate, DeviceBuffer c) =>
        ForEach((long)s.Batch * s.M * s.N, new MatMulValue(
            s.M, s.N, s.K, s.TransposeA ? 1 : s.K, s.TransposeA ? s.M : 1, s.TransposeB ? 1 : s.N, s.TransposeB ? s.K : 1,
            a.Floats(), b.Floats(), accumulate ? 1 : 0, c.Floats()));
}

/// <summary>c[m, n] (+)= Σ over k of a[m·aRow + k·aStep]·b[k·bStep + n·bColumn].</summary>
internal readonly struct MatMulValue(
    int rows, int columns, int depth, int aRow, int aStep, int bStep, int bColumn, ArrayView<float> a, ArrayView<float> b, int accumulate,
    ArrayView<float> c) : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        int row = i / columns, n = i - row * columns, batch = row / rows, m = row - batch * rows;
        int left = Pin.Here(batch * rows * depth + m * aRow), right = Pin.Here(batch * depth * columns + n * bColumn);
        if (i >= c.IntLength) return;
        float sum = 0;
        for (int k = 0; k < depth; k++) sum += a[left + k * aStep] * b[right + k * bStep];
        c[i] = accumulate != 0 ? c[i] + sum : sum;
    }
}
