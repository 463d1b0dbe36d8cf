using System.Runtime.CompilerServices;

namespace Rpat.Engine;

/// <summary>−log softmax(z)_y: cross-entropy where rows have weights (<see cref="CrossEntropyOp"/> is the same without).</summary>
public readonly struct CrossEntropyRowTerm : IRowTerm
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TRow>(TRow z, TRow other, int label) where TRow : struct, IRow => RowMath.LogSumExp(z, 1) - z.At(label);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Gradient<TRow>(TRow z, TRow other, int label, double factor) where TRow : struct, IRow
    {
        double norm = RowMath.LogSumExp(z, 1);
        for (int j = 0; j < z.Count; j++) z.Put(j, factor * (z.Exp(z.At(j) - norm) - (j == label ? 1.0 : 0.0)));
    }
}

/// <summary>−log(1.0001 − p_j), j the most probable wrong class: the second half of MART's boosted cross-entropy (methods.md 2.4).</summary>
public readonly struct ComplementRowTerm : IRowTerm
{
    private const double Room = 1.0001 + 1e-12; // the official code adds both

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TRow>(TRow z, TRow other, int label) where TRow : struct, IRow
    {
        double norm = RowMath.LogSumExp(z, 1);
        return -z.Log(Room - z.Exp(z.At(RowMath.LargestBesides(z, label)) - norm));
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Gradient<TRow>(TRow z, TRow other, int label, double factor) where TRow : struct, IRow
    {
        double norm = RowMath.LogSumExp(z, 1);
        int wrong = RowMath.LargestBesides(z, label);
        double p = z.Exp(z.At(wrong) - norm), rate = factor * p / (Room - p);
        for (int j = 0; j < z.Count; j++) z.Put(j, rate * ((j == wrong ? 1.0 : 0.0) - z.Exp(z.At(j) - norm)));
    }
}

/// <summary>One against the rest: log(1 + e^{−z_y}) + Σ_{k≠y} log(1 + e^{z_k}) (SOVR; methods.md 4.9).</summary>
public readonly struct OneVsRestRowTerm : IRowTerm
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TRow>(TRow z, TRow other, int label) where TRow : struct, IRow
    {
        double sum = 0;
        for (int j = 0; j < z.Count; j++) sum += RowMath.SoftPlus(z, j == label ? -z.At(j) : z.At(j));
        return sum;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Gradient<TRow>(TRow z, TRow other, int label, double factor) where TRow : struct, IRow
    {
        for (int j = 0; j < z.Count; j++) z.Put(j, factor * (RowMath.Sigmoid(z, z.At(j)) - (j == label ? 1.0 : 0.0)));
    }
}

/// <summary>Soft logit margin, log Σ_{k≠y} e^{z_k} − z_y, negative only where the class is right (MMA; methods.md 4.2).</summary>
public readonly struct SoftMarginRowTerm : IRowTerm
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TRow>(TRow z, TRow other, int label) where TRow : struct, IRow => RowMath.LogSumExpBesides(z, 1, label) - z.At(label);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Gradient<TRow>(TRow z, TRow other, int label, double factor) where TRow : struct, IRow
    {
        double norm = RowMath.LogSumExpBesides(z, 1, label);
        for (int j = 0; j < z.Count; j++) z.Put(j, factor * (j == label ? -1 : z.Exp(z.At(j) - norm)));
    }
}
