using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>Losses of logits, one warp per row: lane l takes the columns l, l + 32, …</summary>
internal abstract partial class GpuKernels : IRowLossKernels
{
    public void RowLoss<TLoss>(in TLoss loss, in RowLossOperands rows, DeviceBuffer values) where TLoss : struct, IRowLoss =>
        ForEachWarp(rows.N, new RowLossValues<TLoss>(loss, Views(rows), rows.Parts, values.Floats()));

    public void RowLossGradient<TLoss>(in TLoss loss, in RowLossOperands rows, float coefficient, RowGradient z, RowGradient second,
        RowGradient third)
        where TLoss : struct, IRowLoss =>
        ForEachWarp(rows.N, new RowLossGradients<TLoss>(loss, Views(rows), coefficient, GradientOf(z), GradientOf(second),
        GradientOf(third)));

    private static RowLossViews Views(in RowLossOperands rows) => new(rows.N, rows.K, rows.Z.Floats(), (rows.Second ?? rows.Z).Floats(),
        rows.SecondFrom, (rows.Third ?? rows.Z).Floats(), rows.Labels.IntsOrNone(), rows.Weights.FloatsOrNone());

    private static RowTarget GradientOf(RowGradient to) => new(to.Data.FloatsOrNone(), to.Add ? 1 : 0);
}

/// <summary>Where the gradient of a row goes; nowhere if the view is empty.</summary>
internal readonly struct RowTarget(ArrayView<float> data, int add)
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Put(int at, double value)
    {
        if (data.Length > 0) data[at] = add != 0 ? data[at] + (float)value : (float)value;
    }

    /// <summary>Whether values are stored and not added.</summary>
    public bool Stores
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => data.Length > 0 && add == 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Clear(int at) => data[at] = 0;
}

/// <summary>What the losses of a batch read.</summary>
internal readonly struct RowLossViews(
    int n, int k, ArrayView<float> z, ArrayView<float> second, int secondFrom, ArrayView<float> third, ArrayView<int> labels,
    ArrayView<float> weights)
{
    public int N => n;

    /// <summary>This warp's row.</summary>
    public int Row
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Reduce.Item;
    }

    /// <summary>Whether this warp has a row; the same for all its lanes.</summary>
    public bool HasRow
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Row < n;
    }

    public double Weight
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => weights.Length > 0 ? weights[Row] : 1;
    }

    private int Label
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => labels.Length > 0 ? labels[Row] : 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public LossRows<WarpRow> Rows(RowTarget dz, RowTarget dSecond, RowTarget dThird) => new(
        new WarpRow(z, dz, Row * k, k), new WarpRow(second, dSecond, (Row + secondFrom) * k, k), new WarpRow(third, dThird, Row * k, k),
        Label);
}

/// <summary>A row in device memory that a warp shares.</summary>
internal readonly struct WarpRow(ArrayView<float> values, RowTarget gradient, int first, int count) : IRow
{
    public int Count
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => count;
    }

    public int First
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Group.IdxX & (Reduce.WarpSize - 1);
    }

    public int Step
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Reduce.WarpSize;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double At(int column) => values[first + column];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Put(int column, double value) => gradient.Put(first + column, value);

    /// <summary>Zeros where gradients are stored, for what the loss does not put.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Clear()
    {
        if (!gradient.Stores) return;
        for (int j = First; j < count; j += Reduce.WarpSize) gradient.Clear(first + j);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Sum(double ofThread) => Reduce.WarpSum(ofThread);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Max(double ofThread) => Reduce.WarpMax(ofThread);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Exp(double x) => Real.Exp(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Log(double x) => Real.Log(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Sqrt(double x) => Math.Sqrt(x);
}

/// <summary>values[part, i] = weight·loss.</summary>
internal readonly struct RowLossValues<TLoss>(TLoss loss, RowLossViews rows, int parts, ArrayView<float> values) : IKernel
    where TLoss : struct, IRowLoss
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        if (!rows.HasRow) return;
        var row = rows.Rows(default, default, default);
        for (int part = 0; part < parts; part++)
        {
            double value = rows.Weight * loss.Value(row, part);
            if (row.Z.First == 0) values[part * rows.N + rows.Row] = (float)value;
        }
    }
}

/// <summary>All gradients of coefficient·weight·loss in one pass.</summary>
internal readonly struct RowLossGradients<TLoss>(
    TLoss loss, RowLossViews rows, float coefficient, RowTarget dz, RowTarget dSecond, RowTarget dThird) : IKernel
    where TLoss : struct, IRowLoss
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        if (!rows.HasRow) return;
        var row = rows.Rows(dz, dSecond, dThird);
        row.Z.Clear();
        row.Second.Clear();
        row.Third.Clear();
        loss.Gradient(row, coefficient * rows.Weight);
    }
}
