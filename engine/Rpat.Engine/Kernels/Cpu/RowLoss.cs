namespace Rpat.Engine.Kernels.Cpu;

internal sealed unsafe partial class CpuKernels : IRowLossKernels
{
    public void RowLoss<TLoss>(in TLoss loss, in RowLossOperands rows, DeviceBuffer values) where TLoss : struct, IRowLoss
    {
        for (int i = 0; i < rows.N; i++)
        {
            var row = Rows(rows, i, default, default, default);
            for (int part = 0; part < rows.Parts; part++)
                values.Floats()[part * rows.N + i] = (float)(Weight(rows, i) * loss.Value(row, part));
        }
    }

    public void RowLossGradient<TLoss>(in TLoss loss, in RowLossOperands rows, float coefficient, RowGradient z, RowGradient second,
        RowGradient third)
        where TLoss : struct, IRowLoss
    {
        for (int i = 0; i < rows.N; i++) loss.Gradient(Rows(rows, i, z, second, third), coefficient * Weight(rows, i));
    }

    private static LossRows<CpuRow> Rows(in RowLossOperands rows, int i, RowGradient z, RowGradient second, RowGradient third) => new(
        Row(rows, rows.Z, i, z),
        rows.Second is null ? Row(rows, rows.Z, i, default) : Row(rows, rows.Second, i + rows.SecondFrom, second),
        rows.Third is null ? Row(rows, rows.Z, i, default) : Row(rows, rows.Third, i, third),
        rows.Labels is null ? 0 : rows.Labels.Ints()[i]);

    private static CpuRow Row(in RowLossOperands rows, DeviceBuffer values, int row, RowGradient to)
    {
        long at = (long)row * rows.K;
        return new CpuRow(values.Floats() + at, to.Data is null ? null : to.Data.Floats() + at, rows.K, to.Add);
    }

    private static double Weight(in RowLossOperands rows, int i) => rows.Weights is null ? 1 : rows.Weights.Floats()[i];
}
