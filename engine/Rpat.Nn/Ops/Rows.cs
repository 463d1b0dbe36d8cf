namespace Rpat.Nn.Ops;

/// <summary>ln Σ exp z of a row; its gradient is the softmax.</summary>
public readonly struct LogSumExp : IRowLoss
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TRow>(LossRows<TRow> rows, int part) where TRow : struct, IRow => RowMath.LogSumExp(rows.Z, 1);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Gradient<TRow>(LossRows<TRow> rows, double factor) where TRow : struct, IRow
    {
        double lse = RowMath.LogSumExp(rows.Z, 1);
        for (int j = rows.Z.First; j < rows.Z.Count; j += rows.Z.Step) rows.Z.Put(j, factor * rows.Z.Exp(rows.Z.At(j) - lse));
    }
}

/// <summary>Σ g·softmax(z), with g the second row; its gradient by z is the gradient of a softmax whose output has the gradient
/// g.</summary>
public readonly struct SoftmaxDot : IRowLoss
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TRow>(LossRows<TRow> rows, int part) where TRow : struct, IRow => Dot(rows, RowMath.LogSumExp(rows.Z, 1));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Gradient<TRow>(LossRows<TRow> rows, double factor) where TRow : struct, IRow
    {
        double lse = RowMath.LogSumExp(rows.Z, 1), mean = Dot(rows, lse);
        for (int j = rows.Z.First; j < rows.Z.Count; j += rows.Z.Step)
        {
            double slope = factor * rows.Z.Exp(rows.Z.At(j) - lse);
            rows.Z.Put(j, slope * (rows.Second.At(j) - mean));
            rows.Second.Put(j, slope);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double Dot<TRow>(LossRows<TRow> rows, double lse) where TRow : struct, IRow
    {
        double sum = 0;
        for (int j = rows.Z.First; j < rows.Z.Count; j += rows.Z.Step) sum += rows.Second.At(j) * rows.Z.Exp(rows.Z.At(j) - lse);
        return rows.Z.Sum(sum);
    }
}

/// <summary>Mean and 1/√(variance + ε) of a row.</summary>
internal readonly struct RowMoments
{
    public readonly double Mean, InvStd;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public RowMoments(double mean, double invStd)
    {
        Mean = mean;
        InvStd = invStd;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RowMoments Of<TRow>(TRow z, double epsilon) where TRow : struct, IRow
    {
        double sum = 0, squares = 0;
        for (int j = z.First; j < z.Count; j += z.Step) sum += z.At(j);
        double mean = z.Sum(sum) / z.Count;
        for (int j = z.First; j < z.Count; j += z.Step) squares += (z.At(j) - mean) * (z.At(j) - mean);
        return new RowMoments(mean, 1 / z.Sqrt(z.Sum(squares) / z.Count + epsilon));
    }

    /// <summary>The standardised row times a factor.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Put<TRow>(TRow z, double factor) where TRow : struct, IRow
    {
        for (int j = z.First; j < z.Count; j += z.Step) z.Put(j, factor * (z.At(j) - Mean) * InvStd);
    }

    /// <summary>Σ g·ẑ, with g the second row and ẑ the standardised first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Dot<TRow>(LossRows<TRow> rows) where TRow : struct, IRow
    {
        double sum = 0;
        for (int j = rows.Z.First; j < rows.Z.Count; j += rows.Z.Step)
            sum += rows.Second.At(j) * (rows.Z.At(j) - Mean) * InvStd;
        return rows.Z.Sum(sum);
    }

    /// <summary>The gradient of <see cref="Dot"/> times a factor.</summary>
    /// <param name="slope">What ẑ counts in it: the dot product over the number of values that the deviation is of.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void PutDot<TRow>(LossRows<TRow> rows, double slope, double factor) where TRow : struct, IRow
    {
        double sum = 0;
        for (int j = rows.Z.First; j < rows.Z.Count; j += rows.Z.Step) sum += rows.Second.At(j);
        double mean = rows.Z.Sum(sum) / rows.Z.Count;
        for (int j = rows.Z.First; j < rows.Z.Count; j += rows.Z.Step)
        {
            double z = (rows.Z.At(j) - Mean) * InvStd;
            rows.Z.Put(j, factor * InvStd * (rows.Second.At(j) - mean - z * slope));
            rows.Second.Put(j, factor * z);
        }
    }
}

/// <summary>K·√(variance + ε) of a row of K values; its gradient is the row with mean 0 and deviation 1.</summary>
/// <param name="epsilon">Above 0.</param>
public readonly struct Deviation(double epsilon) : IRowLoss
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TRow>(LossRows<TRow> rows, int part) where TRow : struct, IRow =>
        rows.Z.Count / RowMoments.Of(rows.Z, epsilon).InvStd;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Gradient<TRow>(LossRows<TRow> rows, double factor) where TRow : struct, IRow =>
        RowMoments.Of(rows.Z, epsilon).Put(rows.Z, factor);
}

/// <summary>Σ g·ẑ, with g the second row and ẑ the first with mean 0 and deviation 1; its gradient by z is the gradient of that
/// normalisation.</summary>
public readonly struct StandardizedDot(double epsilon) : IRowLoss
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TRow>(LossRows<TRow> rows, int part) where TRow : struct, IRow =>
        RowMoments.Of(rows.Z, epsilon).Dot(rows);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Gradient<TRow>(LossRows<TRow> rows, double factor) where TRow : struct, IRow
    {
        var moments = RowMoments.Of(rows.Z, epsilon);
        moments.PutDot(rows, moments.Dot(rows) / rows.Z.Count, factor);
    }
}
