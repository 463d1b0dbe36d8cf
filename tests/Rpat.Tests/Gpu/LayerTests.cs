using Rpat.Engine;

namespace Rpat.Tests.Gpu;

/// <summary>Everything on activations but convolutions, with channels that fill their last quad and channels that do not.</summary>
[Collection(GpuCollection.Name)]
[Covers(nameof(IElementwiseKernels.Elementwise), nameof(IElementwiseKernels.ElementwiseGradient), nameof(IPointwiseKernels.Apply), nameof(IPointwiseKernels.Add), nameof(IPointwiseKernels.AddGradient), nameof(IPool2dKernels.GlobalAveragePool),
    nameof(IPool2dKernels.GlobalAveragePoolGradient), nameof(IPool2dKernels.MaxPool), nameof(IPool2dKernels.MaxPoolGradient),
    nameof(ILinearKernels.LinearForward), nameof(ILinearKernels.LinearInputGradient), nameof(ILinearKernels.LinearWeightGradient),
    nameof(IActivationsKernels.ToActivations), nameof(IActivationsKernels.FromActivations), nameof(IChannelBiasKernels.ChannelBias),
    nameof(IChannelBiasKernels.ChannelBiasGradient))]
public class LayerTests(GpuFixture fixture)
{
    public static TheoryData<int, int, int, int> Shapes => new() { { 2, 5, 3, 4 }, { 1, 1, 1, 1 }, { 3, 16, 4, 4 }, { 2, 70, 3, 3 } };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Views_sums_and_their_gradients(int n, int c, int h, int w)
    {
        using var duel = new Duel(fixture);
        var s = new Shape(n, c, h, w);
        Pair a = duel.Activation(s, 1), b = duel.Activation(s, 2), scale = duel.Channels(c, 3), shift = duel.Channels(c, 4);
        Pair applied = duel.Activation(s, 5), clamped = duel.Activation(s, 6), sum = duel.Activation(s, 7), both = duel.Activation(s, 8);
        Pair dy = duel.Activation(s, 9), stored = duel.Activation(s, 10), added = duel.Activation(s, 11);
        duel.Run((k, on) =>
        {
            k.Apply(s, Layout.Blocked, on.Operand(a, scale, shift), on(applied)!);
            k.Apply(s, Layout.Blocked, on.Operand(a, relu: true), on(clamped)!);
            k.Add(s, on(a)!, on(b)!, false, on(sum)!);
            k.Add(s, on.Operand(a, scale, shift, true), on(b)!, true, on(both)!);
            k.AddGradient(s, Layout.Blocked, on(dy)!, on(both), on.Operand(a, scale, shift, true), false, on(stored)!);
            k.AddGradient(s, Layout.Blocked, on(dy)!, null, default, true, on(added)!);
        });
        Check(duel, applied, clamped, sum, both, stored, added);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Views_of_images(int n, int c, int h, int w)
    {
        using var duel = new Duel(fixture);
        var s = new Shape(n, c, h, w);
        Pair x = duel.Plain(s, 1), scale = duel.Channels(c, 2), shift = duel.Channels(c, 3), y = duel.Plain(s, 4), clamped = duel.Plain(s, 5);
        Pair dy = duel.Plain(s, 6), stored = duel.Plain(s, 7), added = duel.Plain(s, 8);
        duel.Run((k, on) =>
        {
            k.Apply(s, Layout.Plain, on.Operand(x, scale, shift), on(y)!);
            k.Apply(s, Layout.Plain, on.Operand(x, relu: true), on(clamped)!);
            k.AddGradient(s, Layout.Plain, on(dy)!, on(y), on.Operand(x, scale, shift, true), false, on(stored)!);
            k.AddGradient(s, Layout.Plain, on(dy)!, null, on(x)!, true, on(added)!);
        });
        Check(duel, y, clamped, stored, added);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Functions_of_one_number(int n, int c, int h, int w)
    {
        using var duel = new Duel(fixture);
        var s = new Shape(n, c, h, w);
        foreach (var layout in new[] { Layout.Plain, Layout.Blocked })
        {
            Pair Make(int seed) => layout == Layout.Plain ? duel.Plain(s, seed) : duel.Activation(s, seed);
            Pair x = Make(1), y = Make(2), dy = Make(3), stored = Make(4), added = Make(5);
            duel.Run((k, on) =>
            {
                k.Elementwise(new Silu(), s, layout, on(x)!, on(y)!);
                k.ElementwiseGradient(new Silu(), s, layout, on(x)!, on(dy)!, false, on(stored)!);
                k.ElementwiseGradient(new Silu(), s, layout, on(x)!, on(dy)!, true, on(added)!);
            });
            Check(duel, y, stored, added);
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Average_pooling(int n, int c, int h, int w)
    {
        using var duel = new Duel(fixture);
        var s = new Shape(n, c, h, w);
        Pair x = duel.Activation(s, 1), scale = duel.Channels(c, 2), shift = duel.Channels(c, 3), y = duel.Plain(new Shape(n, c), 4);
        Pair dy = duel.Plain(new Shape(n, c), 5), stored = duel.Activation(s, 6), added = duel.Activation(s, 7);
        duel.Run((k, on) =>
        {
            k.GlobalAveragePool(s, on.Operand(x, scale, shift, true), on(y)!);
            k.GlobalAveragePoolGradient(s, on(dy)!, on.Operand(x, scale, shift, true), false, on(stored)!);
            k.GlobalAveragePoolGradient(s, on(dy)!, on(x)!, true, on(added)!);
        });
        Check(duel, y, stored, added);
    }

    [Theory]
    [InlineData(2, 5, 6, 7, 2, 2)]
    [InlineData(1, 4, 5, 5, 3, 1)]
    [InlineData(2, 17, 7, 6, 3, 2)]
    [InlineData(1, 1, 5, 5, 1, 2)]
    public void Maximum_pooling(int n, int c, int h, int w, int window, int stride)
    {
        using var duel = new Duel(fixture);
        Shape s = new(n, c, h, w), o = s with { H = (h - window) / stride + 1, W = (w - window) / stride + 1 };
        Pair x = duel.Activation(s, 1), scale = duel.Channels(c, 2), shift = duel.Channels(c, 3), y = duel.Activation(o, 4), plain = duel.Activation(o, 5);
        Pair dy = duel.Activation(o, 6), stored = duel.Activation(s, 7), added = duel.Activation(s, 8);
        duel.Run((k, on) =>
        {
            Operand view = on.Operand(x, scale, shift, true); // clamped values tie at zero: the first of them gets the gradient
            k.MaxPool(s, window, stride, view, on(y)!);
            k.MaxPool(s, window, stride, on(x)!, on(plain)!);
            k.MaxPoolGradient(s, window, stride, view, on(dy)!, view, false, on(stored)!);
            k.MaxPoolGradient(s, window, stride, view, on(dy)!, on(x)!, true, on(added)!);
        });
        Check(duel, y, plain, stored, added);
    }

    [Theory]
    [InlineData(3, 5, 7)]
    [InlineData(9, 70, 10)]
    [InlineData(1, 1, 1)]
    public void Fully_connected(int n, int c, int k)
    {
        using var duel = new Duel(fixture);
        Pair x = duel.Plain(new Shape(n, c), 1), w = duel.Plain(new Shape(k, c), 2), bias = duel.Plain(new Shape(1, k), 3), dy = duel.Plain(new Shape(n, k), 4);
        Pair y = duel.Plain(new Shape(n, k), 5), dx = duel.Plain(new Shape(n, c), 6), dw = duel.Plain(new Shape(k, c), 7), db = duel.Plain(new Shape(1, k), 8);
        Pair moreX = duel.Plain(new Shape(n, c), 9), moreW = duel.Plain(new Shape(k, c), 10), moreB = duel.Plain(new Shape(1, k), 11);
        duel.Run((kernels, on) =>
        {
            kernels.LinearForward(n, c, k, on(x)!, on(w)!, on(bias)!, on(y)!);
            kernels.LinearInputGradient(n, c, k, on(dy)!, on(w)!, false, on(dx)!);
            kernels.LinearInputGradient(n, c, k, on(dy)!, on(w)!, true, on(moreX)!);
            kernels.LinearWeightGradient(n, c, k, on(x)!, on(dy)!, false, on(dw)!, on(db)!);
            kernels.LinearWeightGradient(n, c, k, on(x)!, on(dy)!, true, on(moreW)!, on(moreB)!);
        });
        Check(duel, y, dx, dw, db, moreX, moreW, moreB);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Layouts_and_biases(int n, int c, int h, int w)
    {
        using var duel = new Duel(fixture);
        var s = new Shape(n, c, h, w);
        Pair plain = duel.Plain(s, 1), there = duel.Activation(s, 2), back = duel.Plain(s, 3), added = duel.Plain(s, 4);
        Pair scale = duel.Channels(c, 5), shift = duel.Channels(c, 6), bias = duel.Plain(new Shape(1, c), 7), y = duel.Activation(s, 8);
        Pair stored = duel.Plain(new Shape(1, c), 9), more = duel.Plain(new Shape(1, c), 10);
        duel.Run((k, on) =>
        {
            k.ToActivations(s, on(plain)!, on(there)!);
            k.FromActivations(s, on(there)!, false, on(back)!);
            k.FromActivations(s, on(there)!, true, on(added)!);
            k.ChannelBias(s, on.Operand(there, scale, shift, true), on(bias)!, on(y)!);
            k.ChannelBiasGradient(s, on(y)!, false, on(stored)!);
            k.ChannelBiasGradient(s, on(y)!, true, on(more)!);
        });
        Check(duel, there, back, added, y, stored, more);
    }

    private static void Check(Duel duel, params Pair[] results)
    {
        for (int i = 0; i < results.Length; i++) duel.Check(results[i], $"result {i}");
    }
}
