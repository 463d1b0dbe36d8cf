namespace Rpat.Nn.Ops;

/// <summary>Recording of ops that bring rows to a length, and images to a deviation.</summary>
public static class LengthOps
{
    /// <summary>The least length of a row that <see cref="UnitRows"/> divides by, as in PyTorch.</summary>
    public const double LeastLength = 1e-12;

    /// <summary>z/‖z‖₂ along the last axis of plain z: the columns of <c>[N, C, H, W]</c>, or the channels of <c>[N, C]</c>.</summary>
    /// <exception cref="ShapeException">z is not plain.</exception>
    public static Tensor UnitRows(this Tape tape, Tensor z)
    {
        ShapeException.Require(Bound.Given(z).Layout == Layout.Plain, "UnitRows", $"{z} must be plain");
        int columns = z.Shape.Area == 1 ? z.Shape.C : z.Shape.W;
        return tape.Record(new RowNode<RowLength, UnitDot>(tape, "UnitRows", new(LeastLength), new(LeastLength), z, columns)).Output;
    }

    /// <summary>
    /// Plain images, each minus the mean of all its values and divided by their deviation (of n − 1 values), which counts as at least 1/√n:
    /// per-image standardisation as in TensorFlow.
    /// </summary>
    /// <exception cref="ShapeException">The images are not plain, or of one value each.</exception>
    public static Tensor StandardizeImages(this Tape tape, Tensor images)
    {
        ShapeException.Require(Bound.Given(images).Layout == Layout.Plain && images.Shape.SampleCount > 1, "StandardizeImages",
            $"{images} must be plain images of more than one value");
        int values = images.Shape.SampleCount;
        return tape.Record(new RowNode<BoundedDeviation, BoundedDot>(tape, "StandardizeImages", default, default, images, values)).Output;
    }
}

/// <summary>‖z‖₂ of a row; its gradient is the row with length 1.</summary>
/// <param name="least">A shorter row is divided by this.</param>
public readonly struct RowLength(double least) : IRowLoss
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TRow>(LossRows<TRow> rows, int part) where TRow : struct, IRow => Of(rows.Z, least);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Gradient<TRow>(LossRows<TRow> rows, double factor) where TRow : struct, IRow
    {
        double scale = factor / Of(rows.Z, least);
        for (int j = rows.Z.First; j < rows.Z.Count; j += rows.Z.Step) rows.Z.Put(j, scale * rows.Z.At(j));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static double Of<TRow>(TRow z, double least) where TRow : struct, IRow
    {
        double squares = 0;
        for (int j = z.First; j < z.Count; j += z.Step) squares += z.At(j) * z.At(j);
        double length = z.Sqrt(z.Sum(squares));
        return length > least ? length : least;
    }
}

/// <summary>Σ g·z/‖z‖₂, with g the second row; its gradient by z is the gradient of that normalisation.</summary>
public readonly struct UnitDot(double least) : IRowLoss
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TRow>(LossRows<TRow> rows, int part) where TRow : struct, IRow => Dot(rows, RowLength.Of(rows.Z, least));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Gradient<TRow>(LossRows<TRow> rows, double factor) where TRow : struct, IRow
    {
        double length = RowLength.Of(rows.Z, least), dot = Dot(rows, length) / length, slope = length > least ? dot : 0.0;
        for (int j = rows.Z.First; j < rows.Z.Count; j += rows.Z.Step)
        {
            rows.Z.Put(j, factor / length * (rows.Second.At(j) - slope * rows.Z.At(j)));
            rows.Second.Put(j, factor / length * rows.Z.At(j));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double Dot<TRow>(LossRows<TRow> rows, double length) where TRow : struct, IRow
    {
        double sum = 0;
        for (int j = rows.Z.First; j < rows.Z.Count; j += rows.Z.Step) sum += rows.Second.At(j) * rows.Z.At(j);
        return rows.Z.Sum(sum) / length;
    }
}

/// <summary>Mean of a row, and 1/deviation of its n − 1 values or √n, whichever is less; Moves is
/// 1 if it is the deviation, else 0.</summary>
internal readonly struct BoundedMoments
{
    public readonly RowMoments Row;
    public readonly double Moves;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private BoundedMoments(RowMoments row, double moves)
    {
        Row = row;
        Moves = moves;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static BoundedMoments Of<TRow>(TRow z) where TRow : struct, IRow
    {
        double sum = 0, squares = 0, least = 1.0 / z.Count;
        for (int j = z.First; j < z.Count; j += z.Step) sum += z.At(j);
        double mean = z.Sum(sum) / z.Count;
        for (int j = z.First; j < z.Count; j += z.Step) squares += (z.At(j) - mean) * (z.At(j) - mean);
        double variance = z.Sum(squares) / (z.Count - 1);
        double moves = variance > least ? 1.0 : 0.0; // the only choice: two of the same condition become a branch on a GPU
        return new BoundedMoments(new RowMoments(mean, 1 / z.Sqrt(least + moves * (variance - least))), moves);
    }
}

/// <summary>(n − 1)·deviation of a row, or √n/2 times the sum of squares of a nearly constant one; its gradient is the row with mean 0 and
/// deviation 1.</summary>
public readonly struct BoundedDeviation : IRowLoss
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TRow>(LossRows<TRow> rows, int part) where TRow : struct, IRow
    {
        var moments = BoundedMoments.Of(rows.Z);
        double squares = 0;
        for (int j = rows.Z.First; j < rows.Z.Count; j += rows.Z.Step)
            squares += (rows.Z.At(j) - moments.Row.Mean) * (rows.Z.At(j) - moments.Row.Mean);
        return (0.5 + 0.5 * moments.Moves) * rows.Z.Sum(squares) * moments.Row.InvStd;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Gradient<TRow>(LossRows<TRow> rows, double factor) where TRow : struct, IRow =>
        BoundedMoments.Of(rows.Z).Row.Put(rows.Z, factor);
}

/// <summary>Σ g·ẑ, with g the second row and ẑ the first standardised as an image; its gradient by z is the gradient of that.</summary>
public readonly struct BoundedDot : IRowLoss
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TRow>(LossRows<TRow> rows, int part) where TRow : struct, IRow => BoundedMoments.Of(rows.Z).Row.Dot(rows);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Gradient<TRow>(LossRows<TRow> rows, double factor) where TRow : struct, IRow
    {
        var moments = BoundedMoments.Of(rows.Z);
        moments.Row.PutDot(rows, moments.Moves * moments.Row.Dot(rows) / (rows.Z.Count - 1), factor);
    }
}
