using Rpat.Engine;
using Rpat.Engine.Gpu;
using Rpat.Engine.Nn;
using Rpat.Tests.Ops;
using Rpat.Tests.Reference;

namespace Rpat.Tests.Gpu;

[Collection(GpuCollection.Name)]
[Covers(nameof(IConv2dKernels.Conv2dAlgorithm), nameof(IConv2dKernels.Conv2dForward), nameof(IConv2dKernels.Conv2dInputGradient),
    nameof(IConv2dKernels.Conv2dWeightGradient))]
public class Conv2dTests(GpuFixture fixture)
{
    /// <summary>Layout, N, C, H, W, K, kernel, stride, padding.</summary>
    public static TheoryData<Layout, int[]> Shapes => new()
    {
        { Layout.Blocked, [2, 3, 5, 7, 5, 3, 1, 1] },
        { Layout.Blocked, [1, 1, 4, 4, 1, 3, 1, 1] },
        { Layout.Blocked, [3, 17, 5, 8, 19, 3, 2, 1] },
        { Layout.Blocked, [2, 8, 7, 5, 66, 1, 1, 0] },
        { Layout.Blocked, [2, 6, 7, 6, 9, 1, 2, 0] },
        { Layout.Blocked, [1, 5, 6, 6, 7, 5, 2, 2] },
        { Layout.Blocked, [1, 4, 5, 5, 4, 3, 3, 0] },
        { Layout.Blocked, [3, 16, 8, 8, 16, 3, 1, 1] },
        { Layout.Blocked, [1, 132, 2, 2, 20, 3, 1, 1] },
        { Layout.Plain, [2, 3, 8, 6, 16, 3, 1, 1] },
        { Layout.Plain, [2, 1, 7, 7, 5, 3, 2, 1] },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Every_direction_agrees_with_the_CPU(Layout layout, int[] sizes) => Check(layout, sizes, Precision.Fp32, null);

    private void Check(Layout layout, int[] d, Precision precision, Tolerance? tolerance)
    {
        using var duel = new Duel(fixture, precision);
        var s = new ConvShape(new Shape(d[0], d[1], d[2], d[3]), layout, d[4], d[5], d[6], d[7]);
        Pair x = layout == Layout.Plain ? duel.Plain(s.Input, 1) : duel.Activation(s.Input, 1);
        Pair scale = duel.Channels(s.C, 2, 0.5, 1.5), shift = duel.Channels(s.C, 3), dy = duel.Activation(s.Output, 4);
        var w = new Filters(duel, s, 5);
        foreach (bool full in new[] { false, true }) // with everything that the kernels can fuse, and with nothing
        {
            Pair y = duel.Activation(s.Output, 6), dx = layout == Layout.Plain ? duel.Plain(s.Input, 7) : duel.Activation(s.Input, 7);
            Pair residual = duel.Activation(s.Output, 8), dw = duel.Plain(w.Shape, 9);
            bool relu = full && layout == Layout.Blocked;
            duel.Run((k, on) =>
            {
                Operand from = full ? on.Operand(x, scale, shift, relu) : on(x)!;
                k.Conv2dForward(s, from, w.On(k), full ? on(residual) : null, on(y)!);
                k.Conv2dInputGradient(s, on(dy)!, w.On(k), from, full, on(dx)!);
                k.Conv2dWeightGradient(s, from, on(dy)!, full, on(dw)!);
            });
            duel.Check(y, "y", tolerance);
            duel.Check(dx, "dx", tolerance);
            duel.Check(dw, "dw", tolerance);
        }
    }

    /// <summary>The same filters as a parameter of each device.</summary>
    private sealed class Filters
    {
        private readonly (IKernels Kernels, Parameter Weight)[] _weights;

        public Filters(Duel duel, ConvShape s, int seed)
        {
            Shape = new Shape(s.K, s.C, s.R, s.R);
            float[] values = Array4.Uniform(s.K, s.C, s.R, s.R, seed).ToFloats();
            _weights = [.. duel.Devices.Select(device => (device.Kernels, Make(device, values)))];
        }

        public Shape Shape { get; }

        public Parameter On(IKernels kernels) => _weights.Single(w => w.Kernels == kernels).Weight;

        private Parameter Make(Device device, float[] values)
        {
            var store = new ParameterStore(device);
            store.Declare("unaligned", new Shape(1, 3), 3); // parameters begin anywhere
            var weight = store.Declare("w", Shape, Shape.N, Shape.C, Shape.H, Shape.W);
            store.Seal();
            weight.Upload(values);
            store.Touch();
            return weight;
        }
    }
}
