namespace Rpat.Engine.Kernels.Cpu;

internal unsafe partial class CpuKernels : IMatMulKernels
{
    public void MatMul(in MatMulShape s, DeviceBuffer a, DeviceBuffer b, bool accumulate, DeviceBuffer c) =>
        _pool.Run(new MatMulRow(s, a.Floats(), b.Floats(), accumulate, c.Floats()), s.Batch * s.M);
}

/// <summary>One row of one product: dot products if b is transposed, else a sum of rows of b.</summary>
internal readonly unsafe struct MatMulRow(MatMulShape s, float* a, float* b, bool accumulate, float* c) : IJob
{
    public void Run(int index, Worker worker)
    {
        int batch = index / s.M, m = index % s.M;
        float* left = Left(a + (long)batch * s.M * s.K, m, worker), right = b + (long)batch * s.K * s.N, to = c + (long)index * s.N;
        if (!accumulate) new Span<float>(to, s.N).Clear();
        if (s.TransposeB)
            for (int n = 0; n < s.N; n++) to[n] += Row.Dot(left, right + (long)n * s.K, s.K);
        else
            for (int k = 0; k < s.K; k++) Row.AddScaled(left[k], right + (long)k * s.N, to, s.N);
    }

    private float* Left(float* matrix, int m, Worker worker)
    {
        if (!s.TransposeA) return matrix + (long)m * s.K;
        float* row = worker.Scratch(0, s.K);
        for (int k = 0; k < s.K; k++) row[k] = matrix[(long)k * s.M + m];
        return row;
    }
}
