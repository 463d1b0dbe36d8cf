namespace Rpat.Engine.Kernels.Cpu;

internal unsafe partial class CpuKernels : IRowLossKernels
{
    public void RowLoss<TLoss>(in TLoss loss, in RowLossOperands rows, DeviceBuffer values) where TLoss : struct, IRowLoss =>
        Run(new RowLossJob<TLoss>(loss, rows, values, 0, default, default, default));

    public void RowLossGradient<TLoss>(in TLoss loss, in RowLossOperands rows, float coefficient, RowGradient z, RowGradient second,
        RowGradient third)
        where TLoss : struct, IRowLoss => Run(new RowLossJob<TLoss>(loss, rows, null, coefficient, z, second, third));

    /// <summary>Few rows, such as logits, are not worth waking threads.</summary>
    private void Run<TLoss>(in RowLossJob<TLoss> job) where TLoss : struct, IRowLoss
    {
        if ((long)job.Rows.N * job.Rows.K >= Grain) _pool.Run(job, job.Rows.N);
        else for (int i = 0; i < job.Rows.N; i++) job.Run(i, _pool.Caller);
    }

    /// <summary>The values of one row, or its gradients if no values are wanted.</summary>
    private readonly struct RowLossJob<TLoss>(TLoss loss, RowLossOperands rows, DeviceBuffer? values, float coefficient, RowGradient z,
        RowGradient second, RowGradient third) : IJob
        where TLoss : struct, IRowLoss
    {
        public readonly RowLossOperands Rows = rows;

        public void Run(int index, Worker worker)
        {
            if (values is null)
            {
                loss.Gradient(Row(Rows, index, z, second, third), coefficient * Weight(Rows, index));
                return;
            }
            var row = Row(Rows, index, default, default, default);
            for (int part = 0; part < Rows.Parts; part++)
                values.Floats()[part * Rows.N + index] = (float)(Weight(Rows, index) * loss.Value(row, part));
        }
    }

    private static LossRows<CpuRow> Row(in RowLossOperands rows, int i, RowGradient z, RowGradient second, RowGradient third) => new(
        Row(rows, rows.Z, i, z),
        rows.Second is null ? Row(rows, rows.Z, i, default) : Row(rows, rows.Second, i + rows.SecondFrom, second),
        rows.Third is null ? Row(rows, rows.Z, i, default) : Row(rows, rows.Third, i, third),
        rows.Labels is null ? 0 : rows.Labels.Ints()[i]);

    private static CpuRow Row(in RowLossOperands rows, DeviceBuffer values, int row, RowGradient to)
    {
        long at = (long)row * rows.K;
        float* gradient = to.Data is null ? null : to.Data.Floats() + at;
        if (!to.Add) new Span<float>(gradient, gradient == null ? 0 : rows.K).Clear(); // what the loss does not put
        return new CpuRow(values.Floats() + at, gradient, rows.K, to.Add);
    }

    private static double Weight(in RowLossOperands rows, int i) => rows.Weights is null ? 1 : rows.Weights.Floats()[i];
}
