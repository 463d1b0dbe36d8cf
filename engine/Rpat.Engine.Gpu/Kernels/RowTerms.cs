using System.Runtime.CompilerServices;
using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>Row terms, one thread a row: rows are short and few, and a term reads like its formula.</summary>
internal sealed partial class GpuKernels : IRowTermsKernels
{
    public void RowTerms<TTerm>(in TTerm term, in RowTermOperands rows, DeviceBuffer values) where TTerm : struct, IRowTerm =>
        ForEach(rows.N, new RowTermRow<TTerm>(term, Rows(rows), values.Floats()));

    public void RowTermsGradient<TTerm>(in TTerm term, in RowTermOperands rows, float coefficient, in RowTermGradients d) where TTerm : struct, IRowTerm
    {
        var (z, other) = (d.Z.FloatsOrNone(), d.Other.FloatsOrNone());
        ForEach(rows.N, new RowTermGradientRow<TTerm>(term, Rows(rows), coefficient, z, d.AddZ ? 1 : 0, other, d.AddOther ? 1 : 0));
    }

    private static RowTermViews Rows(in RowTermOperands rows) => new(
        rows.N, rows.K, rows.Z.Floats(), (rows.Other ?? rows.Z).Floats(), rows.OtherFrom, rows.Labels.IntsOrNone(), rows.Weights.FloatsOrNone());
}

/// <summary>What the terms of a batch read.</summary>
internal readonly struct RowTermViews(
    int n, int k, ArrayView<float> z, ArrayView<float> other, int otherFrom, ArrayView<int> labels, ArrayView<float> weights)
{
    /// <summary>This thread's row.</summary>
    public int Row
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Grid.IdxX * Group.DimX + Group.IdxX;
    }

    public bool HasRow
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Row < n;
    }

    public int Label
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => labels.Length > 0 ? labels[Row] : 0;
    }

    public double Weight
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => weights.Length > 0 ? weights[Row] : 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public GpuRow Z(ArrayView<float> gradient, int add) => new(z, gradient, Row * k, k, add);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public GpuRow Other(ArrayView<float> gradient, int add) => new(other, gradient, (Row + otherFrom) * k, k, add);
}

/// <summary>A row in device memory; a gradient that is not wanted has no view.</summary>
internal readonly struct GpuRow(ArrayView<float> values, ArrayView<float> gradient, int first, int count, int add) : IRow
{
    public int Count
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => count;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double At(int column) => values[first + column];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Put(int column, double value)
    {
        if (gradient.Length == 0) return;
        int at = first + column;
        gradient[at] = add != 0 ? gradient[at] + (float)value : (float)value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Exp(double x) => Real.Exp(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Log(double x) => Real.Log(x);
}

/// <summary>values[i] = weight·term.</summary>
internal readonly struct RowTermRow<TTerm>(TTerm term, RowTermViews rows, ArrayView<float> values) : IKernel where TTerm : struct, IRowTerm
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        if (!rows.HasRow) return;
        values[rows.Row] = (float)(rows.Weight * term.Value(rows.Z(default, 0), rows.Other(default, 0), rows.Label));
    }
}

/// <summary>The gradients of coefficient·weight·term.</summary>
internal readonly struct RowTermGradientRow<TTerm>(
    TTerm term, RowTermViews rows, float coefficient, ArrayView<float> dz, int addZ, ArrayView<float> dOther, int addOther) : IKernel
    where TTerm : struct, IRowTerm
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        if (!rows.HasRow) return;
        term.Gradient(rows.Z(dz, addZ), rows.Other(dOther, addOther), rows.Label, coefficient * rows.Weight);
    }
}
