using Rpat.Engine;
using Rpat.Engine.Gpu;
using Rpat.Engine.Gpu.Queues;
using Rpat.Tests.Ops;

namespace Rpat.Tests.Gpu;

[Collection(GpuCollection.Name)]
[Covers(nameof(IConv2dKernels.Conv2dAlgorithm), nameof(IConv2dKernels.Conv2dFilterLength), nameof(IConv2dKernels.Conv2dArrangeFilters),
    nameof(IConv2dKernels.Conv2dForward), nameof(IConv2dKernels.Conv2dInputGradient),
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
    public void Every_direction_agrees_with_the_CPU(Layout layout, int[] sizes) =>
        Check(layout, sizes, new Duel(fixture), null, [false, true]);

    public static TheoryData<Precision, int[]> TensorShapes
    {
        get
        {
            TheoryData<Precision, int[]> data = [];
            foreach (var precision in new[] { Precision.Tf32, Precision.Bf16 })
                foreach (int[] sizes in new int[][] { [2, 3, 5, 7, 5, 3, 1, 1], [3, 17, 5, 8, 70, 3, 2, 1], [1, 132, 2, 2, 20, 1, 1, 0] })
                    data.Add(precision, sizes);
            return data;
        }
    }

    /// <summary>Factors that bfloat16 holds exactly: a fragment that is misplaced by one register is far off, rounding is not.</summary>
    [Theory]
    [MemberData(nameof(TensorShapes))]
    public void Tensor_cores_multiply_the_right_factors(Precision precision, int[] sizes) =>
        Check(Layout.Blocked, sizes, new Duel(fixture, precision) { Grid = 128 }, null, [false]);

    [Theory]
    [InlineData(Precision.Tf32, 2e-3, 1e-6)]
    [InlineData(Precision.Bf16, 2e-2, 1e-4)]
    public void Tensor_cores_round_factors_only(Precision precision, double max, double nmse) =>
        Check(Layout.Blocked, [3, 17, 5, 8, 19, 3, 2, 1], new Duel(fixture, precision), new Tolerance(max, nmse), [true]);

    internal static void Check(Layout layout, int[] d, Duel made, Tolerance? tolerance, bool[] variants)
    {
        using var duel = made;
        var s = new ConvShape(new Shape(d[0], d[1], d[2], d[3]), layout, d[4], d[5], d[6], d[7]);
        Pair x = layout == Layout.Plain ? duel.Plain(s.Input, 1) : duel.Activation(s.Input, 1);
        Pair scale = duel.Channels(s.C, 2, 0.5, 1.5), shift = duel.Channels(s.C, 3), dy = duel.Activation(s.Output, 4);
        Pair w = duel.Plain(new Shape(s.K, s.C, s.R, s.R), 5);
        foreach (bool full in variants) // with everything that the kernels can fuse, and with nothing
        {
            Pair y = duel.Activation(s.Output, 6), dx = layout == Layout.Plain ? duel.Plain(s.Input, 7) : duel.Activation(s.Input, 7);
            Pair residual = duel.Activation(s.Output, 8), dw = duel.Plain(w.Shape, 9);
            bool relu = full && layout == Layout.Blocked;
            duel.Run((k, on) =>
            {
                Operand from = full ? on.Operand(x, scale, shift, relu) : on(x)!;
                k.Conv2dForward(s, from, Arranged(duel, k, s, false, on(w)!), full ? on(residual) : null, on(y)!);
                k.Conv2dInputGradient(s, on(dy)!, Arranged(duel, k, s, true, on(w)!), from, full, on(dx)!);
                k.Conv2dWeightGradient(s, from, on(dy)!, full, on(dw)!);
            });
            duel.Check(y, "y", tolerance);
            duel.Check(dx, "dx", tolerance);
            duel.Check(dw, "dw", tolerance);
        }
    }

    private static DeviceBuffer Arranged(Duel duel, IKernels kernels, ConvShape s, bool inputGradient, DeviceBuffer w)
    {
        long length = kernels.Conv2dFilterLength(s, inputGradient);
        if (length == 0) return w;
        DeviceBuffer filters = duel.Devices.Single(device => device.Kernels == kernels).Allocate(length);
        kernels.Conv2dArrangeFilters(s, inputGradient, w, filters);
        return filters;
    }
}
