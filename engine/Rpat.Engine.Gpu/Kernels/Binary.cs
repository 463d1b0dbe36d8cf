using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>Functions of two tensors, one value per thread; sums over what b is spread over, one warp per value of b.</summary>
internal sealed partial class GpuKernels<S> : IBinaryKernels
{
    public void Binary<TOp>(in TOp op, in BinaryShape s, DeviceBuffer a, DeviceBuffer b, DeviceBuffer y) where TOp : struct, IBinary =>
        ForEach(Values(s.Shape, s.Layout), new BinaryValue<TOp>(op, PairsOf(s, a, b), Stored(s.Layout, y)));

    public void BinaryGradient<TOp>(in TOp op, in BinaryShape s, DeviceBuffer a, DeviceBuffer b, DeviceBuffer dy, bool byB,
        bool accumulate, DeviceBuffer to)
        where TOp : struct, IBinary
    {
        Pairs pairs = PairsOf(s, a, b);
        int add = accumulate ? 1 : 0;
        if (byB && s.IsSpread)
            ForEachWarp(s.SpreadCount, new BinarySums<TOp>(
                op, pairs, Stored(s.Layout, dy), s.Shape.N, s.Shape.C, s.Shape.Area, s.SampleStride, s.ChannelStride, add, to.Floats()));
        else ForEach(Values(s.Shape, s.Layout), new BinaryDerivative<TOp>(
            op, pairs, Stored(s.Layout, dy), byB ? 1 : 0, add, Stored(s.Layout, to)));
    }

    private static Pairs PairsOf(in BinaryShape s, DeviceBuffer a, DeviceBuffer b) =>
        new(s, Stored(s.Layout, a), Stored(s.IsSpread ? Layout.Plain : s.Layout, b));
}

/// <summary>Values of a with those of b that belong to them.</summary>
internal readonly struct Pairs
{
    private readonly Numbers _a, _b;
    private readonly Cells _cells;
    private readonly int _isSpread, _sampleStride, _channelStride;

    public Pairs(in BinaryShape s, Numbers a, Numbers b)
    {
        _a = a;
        _b = b;
        _cells = new Cells(s.Shape, s.Layout);
        _isSpread = s.IsSpread ? 1 : 0;
        _sampleStride = s.SampleStride;
        _channelStride = s.ChannelStride;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsChannel(int i) => _cells.IsChannel(i);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int At(int n, int c, int pixel) => _cells.At(n, c, 0, pixel);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public GpuReal A(int i) => _a.Load(i);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public GpuReal B(int i)
    {
        Cell cell = _cells[i];
        return _b.Load(_isSpread != 0 ? cell.N * _sampleStride + cell.C * _channelStride : i);
    }
}

/// <summary>y = f(a, b).</summary>
internal readonly struct BinaryValue<TOp>(TOp op, Pairs pairs, Numbers y) : IKernel where TOp : struct, IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        if (i >= y.Count) return;
        float v = 0;
        if (pairs.IsChannel(i)) v = (float)op.Value(pairs.A(i), pairs.B(i)).Value;
        y.Store(i, v);
    }
}

/// <summary>to (+)= dy times a derivative.</summary>
internal readonly struct BinaryDerivative<TOp>(TOp op, Pairs pairs, Numbers dy, int byB, int accumulate, Numbers to)
    : IKernel
    where TOp : struct, IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        if (i >= to.Count) return;
        float g = 0;
        if (pairs.IsChannel(i))
        {
            GpuReal a = pairs.A(i), b = pairs.B(i);
            g = (float)(dy.Load(i) * (byB != 0 ? op.ByB(a, b) : op.ByA(a, b)).Value);
        }
        to.Put(i, g, accumulate);
    }
}

/// <summary>db (+)= Σ dy·∂f/∂b over the samples, channels and pixels that a value of b is spread over.</summary>
internal readonly struct BinarySums<TOp>(
    TOp op, Pairs pairs, Numbers dy, int samples, int channels, int area, int sampleStride, int channelStride, int accumulate,
    ArrayView<float> db) : IKernel
    where TOp : struct, IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int item = Reduce.Item, lane = Group.IdxX % Reduce.WarpSize;
        if (item >= db.IntLength) return;
        int of = channelStride == 0 ? channels : 1, terms = (sampleStride == 0 ? samples : 1) * of * area;
        int sample = sampleStride == 0 ? 0 : item / sampleStride, channel = channelStride == 0 ? 0 : item % channels;
        double sum = 0;
        for (int t = lane; t < terms; t += Reduce.WarpSize)
        {
            int row = t / area, n = row / of, at = pairs.At(sample + n, channel + row - n * of, t - row * area);
            sum += dy.Load(at) * op.ByB(pairs.A(at), pairs.B(at)).Value;
        }
        sum = Reduce.WarpSum(sum);
        if (lane == 0) db[item] = accumulate != 0 ? db[item] + (float)sum : (float)sum;
    }
}
