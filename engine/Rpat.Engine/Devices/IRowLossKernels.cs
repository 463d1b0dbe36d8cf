namespace Rpat.Engine.Devices;

/// <summary>
/// One row of logits or probabilities as the threads that share it see it: one on a CPU, the 32 of a warp on a GPU. A thread takes the
/// columns <c>for (int j = row.First; j &lt; row.Count; j += row.Step)</c> and may read all; all threads call <see cref="Sum"/> and
/// <see cref="Max"/> alike and get the same result.
/// </summary>
public interface IRow : IMath
{
    /// <summary>Columns.</summary>
    int Count { get; }

    /// <summary>This thread's first column.</summary>
    int First { get; }

    /// <summary>Distance to this thread's next column.</summary>
    int Step { get; }

    /// <summary>The value of a column, widened.</summary>
    double At(int column);

    /// <summary>Stores the gradient of one of this thread's columns, or adds it to what other losses left
    /// there; nothing where none is wanted.</summary>
    void Put(int column, double gradient);

    /// <summary>Sum over the threads, in a fixed order.</summary>
    double Sum(double ofThread);

    /// <summary>Maximum over the threads.</summary>
    double Max(double ofThread);
}

/// <summary>What a loss of one sample reads.</summary>
public readonly struct LossRows<TRow>(TRow z, TRow second, TRow third, int label) where TRow : struct, IRow
{
    /// <summary>Logits.</summary>
    public readonly TRow Z = z;

    /// <summary>The second row of losses that compare several; else the first again.</summary>
    public readonly TRow Second = second;

    /// <summary>The third row; else the first again.</summary>
    public readonly TRow Third = third;

    /// <summary>True class; 0 where the loss has none.</summary>
    public readonly int Label = label;
}

/// <summary>
/// A loss of one, two or three rows of logits: its value and its gradient, written once for every device and for the host. It is a struct
/// of plain numbers without arrays, and its methods call only methods that can be inlined, so that a GPU can run them. Form it from
/// log-softmax (<see cref="RowMath"/>), so that it stays finite where a probability underflows.
/// </summary>
public interface IRowLoss
{
    /// <summary>The value of a row.</summary>
    /// <param name="part">Which of its parts, for losses whose parts are logged apart (<see cref="RowLossOptions.Parts"/>); else 0.</param>
    double Value<TRow>(LossRows<TRow> rows, int part) where TRow : struct, IRow;

    /// <summary>
    /// Puts factor·∂loss/∂row, loss being the weighted sum of the parts, into every column of each row that the loss is differentiable in,
    /// column by column in the order of the rows.
    /// </summary>
    void Gradient<TRow>(LossRows<TRow> rows, double factor) where TRow : struct, IRow;
}

/// <summary>
/// What the losses of a batch read: N rows of K columns, plain, that get a value per part; row SecondFrom of the second rows belongs to
/// row 0; null: no such rows, no labels, all weights 1.
/// </summary>
public readonly record struct RowLossOperands(int N, int K, int Parts, DeviceBuffer Z, DeviceBuffer? Second = null, int SecondFrom = 0,
    DeviceBuffer? Third = null, DeviceBuffer? Labels = null, DeviceBuffer? Weights = null);

/// <summary>Where the gradient of a row goes: added to what is there or stored; nowhere without a buffer.</summary>
public readonly record struct RowGradient(DeviceBuffer? Data, bool Add);

/// <summary>The kernels of every loss of logits: a new loss is one struct and needs no new kernel.</summary>
public interface IRowLossKernels
{
    /// <summary>values[part, i] = weight_i·loss(rows_i, part).</summary>
    void RowLoss<TLoss>(in TLoss loss, in RowLossOperands rows, DeviceBuffer values) where TLoss : struct, IRowLoss;

    /// <summary>All gradients of coefficient·Σ weight_i·loss(rows_i), in one pass.</summary>
    void RowLossGradient<TLoss>(in TLoss loss, in RowLossOperands rows, float coefficient, RowGradient z, RowGradient second,
        RowGradient third)
        where TLoss : struct, IRowLoss;
}
