namespace Rpat.Engine.Kernels.Cpu;

/// <summary>Functions of two tensors, value by value in double precision; sums over what b is spread over in fixed order.</summary>
internal unsafe partial class CpuKernels : IBinaryKernels
{
    public void Binary<TOp>(in TOp op, in BinaryShape s, DeviceBuffer a, DeviceBuffer b, DeviceBuffer y) where TOp : struct, IBinary =>
        _pool.Run(new BinaryPlane<TOp>(op, s, a.Floats(), b.Floats(), null, false, false, y.Floats()), Planes(s));

    public void BinaryGradient<TOp>(in TOp op, in BinaryShape s, DeviceBuffer a, DeviceBuffer b, DeviceBuffer dy, bool byB,
        bool accumulate, DeviceBuffer to)
        where TOp : struct, IBinary
    {
        var job = new BinaryPlane<TOp>(op, s, a.Floats(), b.Floats(), dy.Floats(), byB, accumulate, to.Floats());
        if (byB && s.IsSpread) _pool.Run(new BinarySum<TOp>(job, s, accumulate, to.Floats()), s.SpreadCount);
        else _pool.Run(job, Planes(s));
    }

    private static int Planes(in BinaryShape s) => s.Shape.N * new Places(s.Shape, s.Layout).Planes;
}

/// <summary>y (+)= f(a, b), or a derivative times dy if dy is given, on one plane; 0 in padding lanes.</summary>
internal readonly unsafe struct BinaryPlane<TOp>(TOp op, BinaryShape s, float* a, float* b, float* dy, bool byB, bool accumulate, float* y)
    : IJob
    where TOp : struct, IBinary
{
    private readonly Places _place = new(s.Shape, s.Layout);

    public void Run(int index, Worker worker)
    {
        int n = index / _place.Planes, first = index % _place.Planes * _place.Lanes, area = s.Shape.Area * _place.Lanes;
        for (int i = 0; i < area; i++)
        {
            int c = first + i % _place.Lanes;
            long at = (long)index * area + i;
            y[at] = (c < s.Shape.C ? (float)Value(at, n, c) : 0) + (accumulate ? y[at] : 0);
        }
    }

    public double Value(int n, int c, int pixel) => Value(_place.At(n, c, 0, pixel), n, c);

    private double Value(long at, int n, int c)
    {
        double left = a[at], right = b[s.IsSpread ? (long)n * s.SampleStride + c * s.ChannelStride : at];
        return dy == null ? op.Value(left, right) : dy[at] * (byB ? op.ByB(left, right) : op.ByA(left, right));
    }
}

/// <summary>One value of db: the sum over the samples, channels and pixels that it is spread over.</summary>
internal readonly unsafe struct BinarySum<TOp>(BinaryPlane<TOp> terms, BinaryShape s, bool accumulate, float* db) : IJob
    where TOp : struct, IBinary
{
    public void Run(int index, Worker worker)
    {
        int sample = s.SampleStride == 0 ? -1 : index / s.SampleStride, channel = s.ChannelStride == 0 ? -1 : index % s.Shape.C;
        double sum = 0;
        for (int n = Math.Max(0, sample); n < (sample < 0 ? s.Shape.N : sample + 1); n++)
            for (int c = Math.Max(0, channel); c < (channel < 0 ? s.Shape.C : channel + 1); c++)
                for (int i = 0; i < s.Shape.Area; i++) sum += terms.Value(n, c, i);
        db[index] = (float)sum + (accumulate ? db[index] : 0);
    }
}
