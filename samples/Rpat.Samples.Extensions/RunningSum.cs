using Rpat.Engine.Autograd;
using Rpat.Engine.Devices;
using Rpat.Engine.Kernels.Cpu;
using Rpat.Engine.Tensors;

namespace Rpat.Samples.Extensions;

/// <summary>Records the sum of the values of a row up to each of them, on the CPU: an op with kernels of its own.</summary>
public static class RunningSumOp
{
    /// <param name="x">Rows <c>[N, C]</c>.</param>
    /// <exception cref="ShapeException">They are maps or activations.</exception>
    public static Tensor RunningSum(this Tape tape, Tensor x)
    {
        ShapeException.Require(x.Layout == Layout.Plain && x.Shape.Area == 1, "RunningSum", $"{x} must be rows");
        return tape.Record(new RunningSumNode(tape, x)).Outputs[0];
    }
}

internal sealed class RunningSumNode : Node
{
    public RunningSumNode(Tape tape, Tensor x)
    {
        Inputs = [tape.AddStoredInput(x)];
        Outputs = [tape.NewTensor(x.Shape, Layout.Plain, "sums")];
    }

    public override string Op => "RunningSum";
    public override IReadOnlyList<Edge> Inputs { get; }
    public override IReadOnlyList<Tensor> Outputs { get; }
    private Edge X => Inputs[0];
    private Tensor Y => Outputs[0];

    public override void Forward(IKernels k)
    {
        Span<float> x = CpuDevice.Values(X.Data), y = CpuDevice.Values(Y.Data);
        for (int i = 0; i < Y.Shape.Count; i++) y[i] = i % Y.Shape.C == 0 ? x[i] : y[i - 1] + x[i];
    }

    public override void Backward(IKernels k)
    {
        Span<float> dy = CpuDevice.Values(Y.Grad), dx = CpuDevice.Values(X.Grad);
        float sum = 0;
        for (int i = (int)Y.Shape.Count - 1; i >= 0; i--)
        {
            sum = (i + 1) % Y.Shape.C == 0 ? dy[i] : sum + dy[i];
            dx[i] = X.Accumulate ? dx[i] + sum : sum;
        }
    }
}
