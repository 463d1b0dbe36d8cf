using System.Runtime.CompilerServices;

namespace Rpat.Engine.Kernels.Cpu;

internal sealed unsafe partial class CpuKernels : IRowTermsKernels
{
    public void RowTerms<TTerm>(in TTerm term, in RowTermOperands rows, DeviceBuffer values) where TTerm : struct, IRowTerm
    {
        for (int i = 0; i < rows.N; i++)
        {
            var z = Row(rows, rows.Z, i, null, false);
            var other = rows.Other is null ? z : Row(rows, rows.Other, i + rows.OtherFrom, null, false);
            values.Floats()[i] = (float)(Weight(rows, i) * term.Value(z, other, Label(rows, i)));
        }
    }

    public void RowTermsGradient<TTerm>(in TTerm term, in RowTermOperands rows, float coefficient, in RowTermGradients d) where TTerm : struct, IRowTerm
    {
        for (int i = 0; i < rows.N; i++)
        {
            var z = Row(rows, rows.Z, i, d.Z, d.AddZ);
            var other = rows.Other is null
                ? Row(rows, rows.Z, i, null, false)
                : Row(rows, rows.Other, i + rows.OtherFrom, d.Other, d.AddOther);
            term.Gradient(z, other, Label(rows, i), coefficient * Weight(rows, i));
        }
    }

    private static CpuRow Row(in RowTermOperands rows, DeviceBuffer values, int row, DeviceBuffer? gradient, bool add)
    {
        long at = (long)row * rows.K;
        return new CpuRow(values.Floats() + at, gradient is null ? null : gradient.Floats() + at, rows.K, add);
    }

    private static int Label(in RowTermOperands rows, int i) => rows.Labels is null ? 0 : rows.Labels.Ints()[i];

    private static double Weight(in RowTermOperands rows, int i) => rows.Weights is null ? 1 : rows.Weights.Floats()[i];
}

/// <summary>A row in native memory.</summary>
internal readonly unsafe struct CpuRow(float* values, float* gradient, int count, bool add) : IRow
{
    public int Count => count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double At(int column) => values[column];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Put(int column, double value)
    {
        if (gradient != null) gradient[column] = (float)value + (add ? gradient[column] : 0);
    }

    public double Exp(double x) => Math.Exp(x);

    public double Log(double x) => Math.Log(x);
}
