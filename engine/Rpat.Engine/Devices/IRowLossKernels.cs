namespace Rpat.Engine.Devices;

/// <summary>
/// One row of logits or probabilities as seen by the threads that share it: one thread on a CPU, the 32 of a warp on a GPU. A thread takes
/// the columns <c>for (int j = row.First; j &lt; row.Count; j += row.Step)</c> and may read all; all threads call <see cref="Sum"/> and
/// <see cref="Max"/> alike and get the same result.
/// </summary>
public interface IRow
{
    /// <summary>eˣ; infinity or 0 outside the range of double precision.</summary>
    double Exp(double x);

    /// <summary>ln x for normal x; NaN below 0.</summary>
    double Log(double x);

    /// <summary>√x.</summary>
    double Sqrt(double x);

    /// <summary>Columns.</summary>
    int Count { get; }

    /// <summary>This thread's first column.</summary>
    int First { get; }

    /// <summary>Distance to this thread's next column.</summary>
    int Step { get; }

    /// <summary>The value of a column, widened.</summary>
    double At(int column);

    /// <summary>
    /// Stores the gradient of one of this thread's columns, or adds it to the existing one; does nothing if the gradient is not needed.
    /// </summary>
    void Put(int column, double gradient);

    /// <summary>Sum over the threads, in a fixed order.</summary>
    double Sum(double ofThread);

    /// <summary>Maximum over the threads.</summary>
    double Max(double ofThread);
}

/// <summary>The inputs of one sample's loss.</summary>
public readonly struct LossRows<TRow>(TRow z, TRow second, TRow third, int label) where TRow : struct, IRow
{
    /// <summary>Logits.</summary>
    public readonly TRow Z = z;

    /// <summary>The second row, for losses that compare several; otherwise the first again.</summary>
    public readonly TRow Second = second;

    /// <summary>The third row; otherwise the first again.</summary>
    public readonly TRow Third = third;

    /// <summary>True class; 0 if the loss has none.</summary>
    public readonly int Label = label;
}

/// <summary>
/// A loss of one, two or three rows of logits: its value and its gradient, written once for every device and for the host. It is a struct
/// of plain numbers without arrays, and its methods call only methods that can be inlined, so that it can run on a GPU. Write it in terms
/// of log-softmax (<see cref="RowMath"/>), so that it stays finite when a probability underflows, and <c>if (j == label)</c> instead of
/// <c>j == label ? 1 : 0</c>, which is compiled wrongly for GPUs.
/// </summary>
public interface IRowLoss
{
    /// <summary>The value of a row.</summary>
    /// <param name="part">Which part, for losses whose parts are logged separately (<see cref="RowLossOptions.Parts"/>); else 0.</param>
    double Value<TRow>(LossRows<TRow> rows, int part) where TRow : struct, IRow;

    /// <summary>
    /// Puts factor·∂loss/∂row, where loss is the weighted sum of the parts, into every column of each row in which the loss is
    /// differentiable; column by column, in the order of the rows. What is not put is 0.
    /// </summary>
    void Gradient<TRow>(LossRows<TRow> rows, double factor) where TRow : struct, IRow;
}

/// <summary>
/// The inputs of a batch's losses: N plain rows of K columns, with one value per row and part. Row SecondFrom of the second rows belongs to
/// row 0. Null means no such rows, no labels, or all weights 1.
/// </summary>
public readonly record struct RowLossOperands(int N, int K, int Parts, DeviceBuffer Z, DeviceBuffer? Second = null, int SecondFrom = 0,
    DeviceBuffer? Third = null, DeviceBuffer? Labels = null, DeviceBuffer? Weights = null);

/// <summary>Where the gradient of a row is stored or added; not computed without a buffer.</summary>
public readonly record struct RowGradient(DeviceBuffer? Data, bool Add);

/// <summary>The kernels of every loss of logits: a new loss is one struct and needs no new kernel.</summary>
public interface IRowLossKernels
{
    /// <summary>values[part, i] = weight_i·loss(rows_i, part).</summary>
    void RowLoss<TLoss>(in TLoss loss, in RowLossOperands rows, DeviceBuffer values) where TLoss : struct, IRowLoss;

    /// <summary>All gradients of coefficient·Σ weight_i·loss(rows_i), in one pass; what is not put is 0, or adds nothing.</summary>
    void RowLossGradient<TLoss>(in TLoss loss, in RowLossOperands rows, float coefficient, RowGradient z, RowGradient second,
        RowGradient third)
        where TLoss : struct, IRowLoss;
}
