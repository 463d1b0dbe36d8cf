namespace Rpat.Engine.Cases;

/// <summary>Batched matrix products, in all four orders of storage.</summary>
public sealed class MatMulCases : OpCases<MatMulShape>
{
    /// <inheritdoc/>
    public override string Category => "gemm";

    /// <inheritdoc/>
    protected override IEnumerable<MatMulShape> RaggedSizes =>
        [new(2, 3, 5, 7, false, false), new(3, 17, 2, 19, false, false), new(1, 1, 1, 1, false, false)];

    /// <inheritdoc/>
    protected override IEnumerable<MatMulShape> WiderSizes => [new(4, 33, 20, 40, false, false)];

    /// <inheritdoc/>
    protected override IEnumerable<MatMulShape> LayerSizes(int batch) => [new(4 * batch, 64, 64, 32, false, false)];

    /// <inheritdoc/>
    protected override IEnumerable<KernelCase> At(TestTensors make, MatMulShape size, bool every)
    {
        foreach (bool a in Both(every))
            foreach (bool b in Both(every))
                foreach (bool add in Both(every)) yield return One(make, size with { TransposeA = a, TransposeB = b }, add);
    }

    private static KernelCase One(TestTensors make, MatMulShape s, bool add)
    {
        TestTensor a = make.Plain(s.TransposeA ? new(s.Batch, 1, s.K, s.M) : new(s.Batch, 1, s.M, s.K)),
            b = make.Plain(s.TransposeB ? new(s.Batch, 1, s.N, s.K) : new(s.Batch, 1, s.K, s.N)), c = make.Plain(new(s.Batch, 1, s.M, s.N));
        return new("matmul", k => k.MatMul(s, a, b, add, c), CaseResult.Sum(c, add, () => Product(s, a.Values, b.Values)))
        { Covers = ["MatMul"], Bytes = a.Bytes + b.Bytes + c.Bytes };
    }

    private static Array4 Product(MatMulShape s, Array4 a, Array4 b)
    {
        Array4 c = new(s.Batch, 1, s.M, s.N);
        for (int i = 0; i < c.Length; i++)
        {
            int batch = i / (s.M * s.N), m = i / s.N % s.M, n = i % s.N;
            for (int k = 0; k < s.K; k++)
                c.Data[i] += (s.TransposeA ? a[batch, 0, k, m] : a[batch, 0, m, k])
                    * (s.TransposeB ? b[batch, 0, n, k] : b[batch, 0, k, n]);
        }
        return c;
    }
}
