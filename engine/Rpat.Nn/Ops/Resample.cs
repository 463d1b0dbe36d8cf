namespace Rpat.Nn.Ops;

/// <summary>Along one axis of a map: each output is a weighted sum of adjacent inputs.</summary>
/// <param name="Inputs">Length of the input.</param>
/// <param name="Outputs">For each output its first input and the weights from there; no weights give 0.</param>
public sealed record AxisSums(int Inputs, IReadOnlyList<(int First, IReadOnlyList<double> Weights)> Outputs)
{
    /// <summary>The largest number of inputs of an output.</summary>
    internal int Taps => Outputs.Max(output => output.Weights.Count);

    /// <summary>The gradient's sums: each input gets from the outputs what it gave to them.</summary>
    internal AxisSums Transposed => new(Outputs.Count, [.. Enumerable.Range(0, Inputs).Select(Givers)]);

    private (int, IReadOnlyList<double>) Givers(int input)
    {
        double Weight(int output) => Outputs[output].Weights.ElementAtOrDefault(input - Outputs[output].First);
        int[] takers = [.. Enumerable.Range(0, Outputs.Count).Where(output => input >= Outputs[output].First && Weight(output) != 0)];
        return takers.Length == 0 ? (0, []) : (takers[0], [.. Enumerable.Range(takers[0], takers[^1] - takers[0] + 1).Select(
            output => input < Outputs[output].First ? 0 : Weight(output))]);
    }
}

/// <summary>Recording of weighted sums over the pixels of maps.</summary>
public static class ResampleOp
{
    /// <summary>
    /// Sums along rows and columns: <c>[N, C, rows.Inputs, columns.Inputs]</c> → <c>[N, C, rows.Outputs, columns.Outputs]</c>, in x's
    /// layout. Means over windows and interpolation are such sums.
    /// </summary>
    /// <exception cref="ShapeException">The sizes do not fit, or an output reads beyond the map.</exception>
    public static Tensor Resample(this Tape tape, Tensor x, AxisSums rows, AxisSums columns)
    {
        ShapeException.Require(Bound.Given(rows).Inputs == Bound.Given(x).Shape.H && columns.Inputs == x.Shape.W, "Resample",
            $"sums of {rows.Inputs}×{columns.Inputs} pixels do not fit {x}");
        foreach (var axis in new[] { rows, columns })
            ShapeException.Require(axis.Outputs.All(o => o.First >= 0 && o.First + o.Weights.Count <= axis.Inputs), "Resample",
                $"an output reads beyond {x}");
        return tape.Record(new ResampleNode(tape, x, rows, columns)).Output;
    }
}

internal sealed class ResampleNode : Node
{
    private readonly Edge _x;
    private readonly ResampleShape _forward, _backward;
    private readonly DeviceBuffer _table, _transposed;

    public ResampleNode(Tape tape, Tensor x, AxisSums rows, AxisSums columns)
    {
        _x = x.Layout == Layout.Plain ? tape.AddStoredInput(x) : tape.AddInput(x);
        (_forward, _table) = Table(tape, x, rows, columns);
        Output = tape.NewTensor(_forward.Output, x.Layout, "resampled");
        (Inputs, Outputs) = ([_x], [Output]);
        (_backward, _transposed) = Table(tape, Output, rows.Transposed, columns.Transposed);
    }

    public Tensor Output { get; }
    public override string Op => "Resample";
    public override IReadOnlyList<Edge> Inputs { get; }
    public override IReadOnlyList<Tensor> Outputs { get; }

    public override void Forward(IKernels k) => k.Resample(_forward, _x.Operand, _table, default, false, Output.Data);

    public override void Backward(IKernels k) =>
        k.Resample(_backward, Output.Grad, _transposed, _x.ThroughOperand, _x.Accumulate, _x.Grad);

    private static (ResampleShape, DeviceBuffer) Table(Tape tape, Tensor x, AxisSums rows, AxisSums columns)
    {
        var shape = new ResampleShape(x.Shape, x.Layout, rows.Outputs.Count, columns.Outputs.Count, Math.Max(rows.Taps, columns.Taps));
        var lines = new float[(shape.H + shape.W) * shape.Line];
        int at = 0;
        foreach (var (first, weights) in rows.Outputs.Concat(columns.Outputs))
        {
            (lines[at], lines[at + 1]) = (first, weights.Count);
            for (int i = 0; i < weights.Count; i++) lines[at + 2 + i] = (float)weights[i];
            at += shape.Line;
        }
        var table = tape.Allocate(lines.Length);
        tape.Device.Upload(lines, table);
        return (shape, table);
    }
}
