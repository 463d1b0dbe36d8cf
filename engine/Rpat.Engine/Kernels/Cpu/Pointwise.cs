namespace Rpat.Engine.Kernels.Cpu;

/// <summary>Element-wise ops, one item per plane: 16 channels of an image, or one channel of a plain image.</summary>
internal unsafe partial class CpuKernels : IPointwiseKernels
{
    public void Apply(Shape shape, Layout layout, in Operand x, DeviceBuffer y)
    {
        if (layout == Layout.Plain) _pool.Run(new PlainApply(shape, new Affine(x), y.Floats()), shape.N * shape.C);
        else _pool.Run(new BlockedAdd(shape, new Affine(x), default, x.Relu, y.Floats()), shape.N * Blocks.Count(shape.C));
    }

    public void Add(Shape shape, in Operand a, in Operand b, bool relu, DeviceBuffer y) =>
        _pool.Run(new BlockedAdd(shape, new Affine(a), new Affine(b), relu, y.Floats()), shape.N * Blocks.Count(shape.C));

    public void AddGradient(Shape shape, Layout layout, DeviceBuffer dy, DeviceBuffer? y, in Operand through, bool accumulate,
        DeviceBuffer dx)
    {
        var view = new Affine(through);
        if (layout == Layout.Plain)
            _pool.Run(new PlainGradient(shape, dy.Floats(), y.FloatsOrNull(), view, accumulate, dx.Floats()), shape.N * shape.C);
        else
            _pool.Run(new BlockedGradient(shape, dy.Floats(), y.FloatsOrNull(), view, accumulate, dx.Floats()),
                shape.N * Blocks.Count(shape.C));
    }
}

/// <summary>y = [ReLU](a + b) on one blocked plane, views applied; b counts as zero if it has no data.</summary>
internal readonly unsafe struct BlockedAdd(Shape s, Affine a, Affine b, bool relu, float* y) : IJob
{
    public void Run(int index, Worker worker)
    {
        int block = index % Blocks.Count(s.C);
        long offset = (long)index * s.Area * Blocks.Size;
        Vec sa = a.ScaleOf(block), ta = a.ShiftOf(block), fa = a.Floor;
        Vec sb = b.ScaleOf(block), tb = b.ShiftOf(block), fb = b.Floor;
        Vec floor = relu ? Vec.Zero : Vector512.Create(float.NegativeInfinity);
        float* to = y + offset, pa = a.Data + offset, pb = b.Data == null ? null : b.Data + offset;
        for (int i = 0; i < s.Area * Blocks.Size; i += Blocks.Size)
        {
            Vec v = Simd.AtLeast(Vector512.MultiplyAddEstimate(Vector512.Load(pa + i), sa, ta), fa);
            if (pb != null) v += Simd.AtLeast(Vector512.MultiplyAddEstimate(Vector512.Load(pb + i), sb, tb), fb);
            Simd.AtLeast(v, floor).Store(to + i);
        }
    }
}

/// <summary>dx (+)= d·dy·[y &gt; 0] on one blocked plane.</summary>
internal readonly unsafe struct BlockedGradient(Shape s, float* dy, float* y, Affine through, bool accumulate, float* dx) : IJob
{
    public void Run(int index, Worker worker)
    {
        int block = index % Blocks.Count(s.C);
        long offset = (long)index * s.Area * Blocks.Size;
        Vec scale = through.ScaleOf(block), shift = through.ShiftOf(block);
        for (long i = offset; i < offset + (long)s.Area * Blocks.Size; i += Blocks.Size)
        {
            Vec v = Vector512.Load(dy + i) * scale;
            if (y != null) v &= Vector512.GreaterThan(Vector512.Load(y + i), Vec.Zero);
            if (through.Relu)
                v &= Vector512.GreaterThan(Vector512.MultiplyAddEstimate(Vector512.Load(through.Data + i), scale, shift), Vec.Zero);
            if (accumulate) v += Vector512.Load(dx + i);
            v.Store(dx + i);
        }
    }
}

/// <summary>y = [ReLU](scale·x + shift) on one plain channel.</summary>
internal readonly unsafe struct PlainApply(Shape s, Affine x, float* y) : IJob
{
    public void Run(int index, Worker worker)
    {
        float scale = x.Scale == null ? 1 : x.Scale[index % s.C], shift = x.Scale == null ? 0 : x.Shift[index % s.C];
        for (long i = (long)index * s.Area; i < (long)(index + 1) * s.Area; i++)
        {
            float v = scale * x.Data[i] + shift;
            y[i] = x.Relu && v <= 0 ? 0 : v; // not !(v > 0): NaN stays
        }
    }
}

/// <summary>dx (+)= d·dy·[y &gt; 0] on one plain channel.</summary>
internal readonly unsafe struct PlainGradient(Shape s, float* dy, float* y, Affine through, bool accumulate, float* dx) : IJob
{
    public void Run(int index, Worker worker)
    {
        float scale = through.Scale == null ? 1 : through.Scale[index % s.C],
            shift = through.Scale == null ? 0 : through.Shift[index % s.C];
        for (long i = (long)index * s.Area; i < (long)(index + 1) * s.Area; i++)
        {
            bool open = (y == null || y[i] > 0) && (!through.Relu || scale * through.Data[i] + shift > 0);
            dx[i] = (open ? scale * dy[i] : 0) + (accumulate ? dx[i] : 0);
        }
    }
}
