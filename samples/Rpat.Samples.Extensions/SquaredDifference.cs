using System.Runtime.CompilerServices;
using Rpat.Engine.Devices;

namespace Rpat.Samples.Extensions;

/// <summary>mean_k (z_k − t_k)² of two rows of logits; the gradient reaches both.</summary>
public readonly struct SquaredDifference : IRowLoss
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TRow>(LossRows<TRow> rows, int part) where TRow : struct, IRow
    {
        double sum = 0;
        for (int j = rows.Z.First; j < rows.Z.Count; j += rows.Z.Step) sum += Difference(rows, j) * Difference(rows, j);
        return rows.Z.Sum(sum) / rows.Z.Count;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Gradient<TRow>(LossRows<TRow> rows, double factor) where TRow : struct, IRow
    {
        for (int j = rows.Z.First; j < rows.Z.Count; j += rows.Z.Step)
        {
            double g = factor * 2 * Difference(rows, j) / rows.Z.Count;
            rows.Z.Put(j, g);
            rows.Second.Put(j, -g);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double Difference<TRow>(LossRows<TRow> rows, int j) where TRow : struct, IRow => rows.Z.At(j) - rows.Second.At(j);
}
