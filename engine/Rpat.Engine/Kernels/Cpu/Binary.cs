namespace Rpat.Engine.Kernels.Cpu;

/// <summary>Functions of two tensors, 16 values at a time; sums over what b is spread over in double precision and in fixed order.</summary>
internal unsafe partial class CpuKernels : IBinaryKernels
{
    public void Binary<TOp>(in TOp op, in BinaryShape s, DeviceBuffer a, DeviceBuffer b, DeviceBuffer y) where TOp : struct, IBinary =>
        _pool.Run(new BinaryPlane<TOp>(op, s, a.Floats(), b.Floats(), null, false, false, y.Floats()), Planes(s));

    public void BinaryGradient<TOp>(in TOp op, in BinaryShape s, DeviceBuffer a, DeviceBuffer b, DeviceBuffer dy, bool byB,
        bool accumulate, DeviceBuffer to)
        where TOp : struct, IBinary
    {
        var job = new BinaryPlane<TOp>(op, s, a.Floats(), b.Floats(), dy.Floats(), byB, accumulate, to.Floats());
        if (byB && s.IsSpread) _pool.Run(new BinarySum<TOp>(job, s, accumulate, to.Floats()), BinarySum<TOp>.Count(s));
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

    private int Area => s.Shape.Area * _place.Lanes;

    public void Run(int index, Worker worker)
    {
        Vec spread = Spread(index);
        for (int i = 0; i < Area; i += Blocks.Size)
        {
            float* to = y + (long)index * Area + i;
            Vec v = Value(index, i, spread);
            Lanes.Store(accumulate ? v + Lanes.Load(to, Area - i) : v, to, Area - i);
        }
    }

    /// <summary>Adds the values of a plane, lane by lane.</summary>
    public void AddTo(int index, ref Vector512<double> low, ref Vector512<double> high)
    {
        Vec spread = Spread(index);
        for (int i = 0; i < Area; i += Blocks.Size)
        {
            var (a, b) = Vector512.Widen(Value(index, i, spread));
            (low, high) = (low + a, high + b);
        }
    }

    /// <summary>The b of a plane's channels, if it is spread.</summary>
    private Vec Spread(int index)
    {
        int c = index % _place.Planes * _place.Lanes;
        float* from = b + (long)index / _place.Planes * s.SampleStride + c * s.ChannelStride;
        if (!s.IsSpread) return Vec.Zero;
        return _place.Lanes == 1 || s.ChannelStride == 0 ? Vector512.Create(*from) : Lanes.Load(from, s.Shape.C - c);
    }

    /// <summary>The next 16 values of a plane; 0 in padding lanes and beyond its end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vec Value(int index, int i, Vec spread)
    {
        long at = (long)index * Area + i;
        int left = Area - i, channels = s.Shape.C - index % _place.Planes * _place.Lanes;
        Reals x = new(Lanes.Load(a + at, left)), by = new(s.IsSpread ? spread : Lanes.Load(b + at, left));
        Vec v = dy == null ? op.Value(x, by).V : Lanes.Load(dy + at, left) * (byB ? op.ByB(x, by) : op.ByA(x, by)).V;
        return v & Lanes.First(_place.Lanes == 1 ? left : channels);
    }
}

/// <summary>The sums of db over what b is spread over: one value of db, or those of a block of channels.</summary>
internal readonly unsafe struct BinarySum<TOp>(BinaryPlane<TOp> terms, BinaryShape s, bool accumulate, float* db) : IJob
    where TOp : struct, IBinary
{
    private readonly int _planes = new Places(s.Shape, s.Layout).Planes;
    private readonly int _lanes = s.ChannelStride == 0 ? 1 : new Places(s.Shape, s.Layout).Lanes;

    public static int Count(in BinaryShape s) =>
        (s.SampleStride == 0 ? 1 : s.Shape.N) * (s.ChannelStride == 0 ? 1 : new Places(s.Shape, s.Layout).Planes);

    public void Run(int index, Worker worker)
    {
        int groups = s.ChannelStride == 0 ? 1 : _planes, n = s.SampleStride == 0 ? 0 : index / groups, plane = index % groups;
        var (low, high) = (Vector512<double>.Zero, Vector512<double>.Zero);
        for (int sample = n; sample < (s.SampleStride == 0 ? s.Shape.N : n + 1); sample++)
            for (int p = plane; p < (s.ChannelStride == 0 ? _planes : plane + 1); p++)
                terms.AddTo(sample * _planes + p, ref low, ref high);
        float* to = db + n * s.SampleStride + plane * _lanes * s.ChannelStride;
        int left = _lanes == 1 ? 1 : s.Shape.C - plane * _lanes;
        Vec sums = _lanes == 1 ? Vector512.CreateScalar((float)Vector512.Sum(low + high)) : Vector512.Narrow(low, high);
        Lanes.Store(accumulate ? sums + Lanes.Load(to, left) : sums, to, left);
    }
}
