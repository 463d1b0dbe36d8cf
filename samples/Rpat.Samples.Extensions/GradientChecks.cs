using Rpat.Engine;
using Rpat.Engine.Devices;
using Rpat.Engine.Ops;
using Rpat.Engine.Tensors;
using Rpat.Nn;

namespace Rpat.Samples.Extensions;

/// <summary>How the gradients of ops and losses of one's own are checked.</summary>
public static class GradientChecks
{
    /// <summary>Throws if one is wrong.</summary>
    public static void Run()
    {
        using Device device = Device.Cpu();
        Tensor a = Tensor.From(device, new Shape(2, 3), [0.3f, -1.2f, 0.7f, 2, -0.4f, 1.1f], needsGrad: true);
        Tensor b = Tensor.From(device, new Shape(2, 3), [-0.6f, 0.2f, 0.9f, 1, 0.5f, -1.3f], needsGrad: true);
        GradientCheck.Of(tape => tape.Swish(a), a).Require();
        GradientCheck.Of(tape => tape.RobustDifference(a, b), a, b).Require();
        GradientCheck.Of(tape => tape.RowLoss("difference", new SquaredDifference(), a, new() { Second = b }), a, b).Require();
        var net = new Network(device, new Shape(1, 1, 2, 3), classes: 2, new Sequential(new Conv2d(1, 4, 1), new ChannelScale(4),
            Activation.Silu, Pool.GlobalAverage(), new Linear(4, 2)), seed: 1);
        Tensor x = Tensor.From(device, new Shape(1, 1, 2, 3), [0.1f, 0.9f, 0.4f, 0.3f, 0.6f, 0.7f], needsGrad: true);
        GradientCheck.Of(tape => net.Forward(tape, x, BnMode.Eval), [x, .. net.Parameters.Parameters]).Require();
    }
}
