using System.Runtime.Intrinsics;
using Rpat.Engine.Kernels.Cpu;

namespace Rpat.Engine.Gpu.Emulation;

/// <summary>
/// The CPU's kernels with each activation and each gradient of one rounded to bfloat16 where a GPU stores it, and the factors of
/// convolutions rounded as they enter a product: weights, images, and activations as their views show them.
/// </summary>
internal sealed unsafe class RoundedKernels(CpuDevice device, WorkerPool pool)
    : CpuKernels(pool, Tile.Best, device.Convolution, Cache.L2), IKernels
{
    private DeviceBuffer? _factors, _weights; // of the op that runs

    /// <summary>Rounds all of a buffer to the nearest numbers, ties to even.</summary>
    public void Round(DeviceBuffer values)
    {
        var job = new RoundJob(((CpuBuffer)values).Pointer, values.Length);
        Pool.Run(job, job.Items);
    }

    public new void Conv2dArrangeFilters(in ConvShape s, bool inputGradient, DeviceBuffer w, DeviceBuffer filters) =>
        base.Conv2dArrangeFilters(s, inputGradient, Weights(w), filters);

    public new void Conv2dForward(in ConvShape s, in Operand x, DeviceBuffer filters, DeviceBuffer? residual, DeviceBuffer y)
    {
        base.Conv2dForward(s, Factors(s, x), Filters(s, false, filters), residual, y);
        Round(y);
    }

    public new void Conv2dInputGradient(in ConvShape s, DeviceBuffer dy, DeviceBuffer filters, in Operand through, bool accumulate,
        DeviceBuffer dx)
    {
        base.Conv2dInputGradient(s, dy, Filters(s, true, filters), through, accumulate, dx);
        Round(dx, s.InputLayout);
    }

    public new void Conv2dWeightGradient(in ConvShape s, in Operand x, DeviceBuffer dy, bool accumulate, DeviceBuffer dw) =>
        base.Conv2dWeightGradient(s, Factors(s, x), dy, accumulate, dw);

    public new void DepthwiseForward(in DepthwiseShape s, in Operand x, DeviceBuffer w, DeviceBuffer y)
    {
        base.DepthwiseForward(s, x, w, y);
        Round(y);
    }

    public new void DepthwiseInputGradient(in DepthwiseShape s, DeviceBuffer dy, DeviceBuffer w, in Operand through, bool accumulate,
        DeviceBuffer dx)
    {
        base.DepthwiseInputGradient(s, dy, w, through, accumulate, dx);
        Round(dx);
    }

    public new void ChannelBias(Shape shape, in Operand x, DeviceBuffer bias, DeviceBuffer y)
    {
        base.ChannelBias(shape, x, bias, y);
        Round(y);
    }

    public new void BatchNormBackward(Shape shape, DeviceBuffer x, DeviceBuffer dh, in BatchNormSaved saved, bool relu,
        bool batchStatistics, BatchNormGradients gradients)
    {
        base.BatchNormBackward(shape, x, dh, saved, relu, batchStatistics, gradients);
        if (gradients.X is { } dx) Round(dx);
    }

    public new void BatchNormInputGradient(Shape shape, DeviceBuffer x, DeviceBuffer dh, in BatchNormSaved saved, bool relu,
        DeviceBuffer lines, bool add, DeviceBuffer dx)
    {
        base.BatchNormInputGradient(shape, x, dh, saved, relu, lines, add, dx);
        Round(dx);
    }

    public new void Apply(Shape shape, Layout layout, in Operand x, DeviceBuffer y)
    {
        base.Apply(shape, layout, x, y);
        Round(y, layout);
    }

    public new void Add(Shape shape, in Operand a, in Operand b, bool relu, DeviceBuffer y)
    {
        base.Add(shape, a, b, relu, y);
        Round(y);
    }

    public new void AddGradient(Shape shape, Layout layout, DeviceBuffer dy, DeviceBuffer? y, in Operand through, bool accumulate,
        DeviceBuffer dx)
    {
        base.AddGradient(shape, layout, dy, y, through, accumulate, dx);
        Round(dx, layout);
    }

    public new void Elementwise<TOp>(in TOp op, Shape shape, Layout layout, in Operand x, DeviceBuffer y) where TOp : struct, IElementwise
    {
        base.Elementwise(op, shape, layout, x, y);
        Round(y, layout);
    }

    public new void ElementwiseGradient<TOp>(in TOp op, Shape shape, Layout layout, in Operand x, bool through, DeviceBuffer dy,
        bool accumulate, DeviceBuffer dx)
        where TOp : struct, IElementwise
    {
        base.ElementwiseGradient(op, shape, layout, x, through, dy, accumulate, dx);
        Round(dx, layout);
    }

    public new void Binary<TOp>(in TOp op, in BinaryShape s, DeviceBuffer a, DeviceBuffer b, DeviceBuffer y) where TOp : struct, IBinary
    {
        base.Binary(op, s, a, b, y);
        Round(y, s.Layout);
    }

    public new void BinaryGradient<TOp>(in TOp op, in BinaryShape s, DeviceBuffer a, DeviceBuffer b, DeviceBuffer dy, bool byB,
        bool accumulate, DeviceBuffer to)
        where TOp : struct, IBinary
    {
        base.BinaryGradient(op, s, a, b, dy, byB, accumulate, to);
        Round(to, byB && s.IsSpread ? Layout.Plain : s.Layout);
    }

    public new void GlobalAveragePoolGradient(Shape shape, DeviceBuffer dy, in Operand through, bool accumulate, DeviceBuffer dx)
    {
        base.GlobalAveragePoolGradient(shape, dy, through, accumulate, dx);
        Round(dx);
    }

    public new void MaxPool(in PoolShape s, in Operand x, DeviceBuffer y)
    {
        base.MaxPool(s, x, y);
        Round(y);
    }

    public new void MaxPoolGradient(in PoolShape s, in Operand x, DeviceBuffer dy, in Operand through, bool accumulate, DeviceBuffer dx)
    {
        base.MaxPoolGradient(s, x, dy, through, accumulate, dx);
        Round(dx);
    }

    public new void Resample(in ResampleShape s, in Operand x, DeviceBuffer table, in Operand through, bool accumulate, DeviceBuffer y)
    {
        base.Resample(s, x, table, through, accumulate, y);
        Round(y, s.Layout);
    }

    public new void Copy(in CopyShape s, DeviceBuffer x, bool accumulate, DeviceBuffer y)
    {
        base.Copy(s, x, accumulate, y);
        Round(y, s.ToLayout);
    }

    private void Round(DeviceBuffer values, Layout layout)
    {
        if (layout == Layout.Blocked) Round(values);
    }

    /// <summary>The input of a convolution as its products see it.</summary>
    private Operand Factors(in ConvShape s, in Operand x)
    {
        if (s.InputLayout == Layout.Blocked && !x.IsView && !x.Relu) return x; // rounded as it was stored
        var factors = Scratch(ref _factors, device.StorageLength(s.Input, s.InputLayout));
        base.Apply(s.Input, s.InputLayout, x, factors);
        Round(factors);
        return factors;
    }

    /// <summary>Packed filters, which are of rounded weights, or the weights themselves if the pass reads these.</summary>
    private DeviceBuffer Filters(in ConvShape s, bool inputGradient, DeviceBuffer filters) =>
        Conv2dFilterLength(s, inputGradient) == 0 ? Weights(filters) : filters;

    private DeviceBuffer Weights(DeviceBuffer w)
    {
        var weights = Scratch(ref _weights, w.Length);
        device.Copy(w, weights);
        Round(weights);
        return weights;
    }

    private DeviceBuffer Scratch(ref DeviceBuffer? block, long words)
    {
        if (block is not null && block.Length >= words) return block.View(0, words);
        if (block is not null) device.Free(block);
        block = null; // remains null if the allocation fails
        block = device.Allocate(words);
        return block;
    }
}

/// <summary>Rounds a piece of an array to bfloat16; NaN stays.</summary>
internal readonly unsafe struct RoundJob(float* values, long count) : IJob
{
    private const int Piece = 1 << 14;

    public int Items => (int)((count + Piece - 1) / Piece);

    public void Run(int index, Worker worker)
    {
        long i = (long)index * Piece, end = Math.Min(count, i + Piece);
        uint* bits = (uint*)values;
        for (; i + Vector512<uint>.Count <= end; i += Vector512<uint>.Count) Rounded(Vector512.Load(bits + i)).Store(bits + i);
        for (; i < end; i++) bits[i] = Rounded(Vector512.Create(bits[i])).ToScalar();
    }

    private static Vector512<uint> Rounded(Vector512<uint> bits)
    {
        var nearest = bits + Vector512.Create(0x7FFFu) + ((bits >> 16) & Vector512<uint>.One);
        var isNumber = Vector512.LessThanOrEqual(bits & Vector512.Create(0x7FFFFFFFu), Vector512.Create(0x7F800000u));
        return Vector512.ConditionalSelect(isNumber, nearest, bits) & Vector512.Create(0xFFFF0000u);
    }
}
