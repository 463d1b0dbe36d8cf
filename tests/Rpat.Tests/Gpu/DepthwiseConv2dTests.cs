using Rpat.Engine;

namespace Rpat.Tests.Gpu;

[Collection(GpuCollection.Name)]
[Covers(nameof(IDepthwiseConv2dKernels.DepthwiseForward), nameof(IDepthwiseConv2dKernels.DepthwiseInputGradient),
    nameof(IDepthwiseConv2dKernels.DepthwiseWeightGradient))]
public class DepthwiseConv2dTests(GpuFixture fixture)
{
    [Theory]
    [InlineData(2, 5, 5, 7, 3, 1, 1)]
    [InlineData(2, 17, 6, 5, 3, 2, 1)]
    [InlineData(1, 1, 4, 4, 1, 1, 0)]
    [InlineData(1, 8, 7, 7, 5, 2, 2)]
    public void Every_direction_agrees_with_the_CPU(int n, int c, int h, int w, int kernel, int stride, int padding)
    {
        using var duel = new Duel(fixture);
        var s = new DepthwiseShape(new Shape(n, c, h, w), kernel, stride, padding);
        Pair x = duel.Activation(s.Input, 1), scale = duel.Channels(c, 2), shift = duel.Channels(c, 3), dy = duel.Activation(s.Output, 4);
        Pair filters = duel.Plain(new Shape(c, 1, kernel, kernel), 5);
        foreach (bool full in new[] { false, true })
        {
            Pair y = duel.Activation(s.Output, 6), dx = duel.Activation(s.Input, 7), dw = duel.Plain(new Shape(c, 1, kernel, kernel), 8);
            duel.Run((k, on) =>
            {
                Operand from = full ? on.Operand(x, scale, shift, true) : on(x)!;
                k.DepthwiseForward(s, from, on(filters)!, on(y)!);
                k.DepthwiseInputGradient(s, on(dy)!, on(filters)!, from, full, on(dx)!);
                k.DepthwiseWeightGradient(s, from, on(dy)!, full, on(dw)!);
            });
            duel.Check(y, "y");
            duel.Check(dx, "dx");
            duel.Check(dw, "dw");
        }
    }
}
