namespace Rpat.Engine.Kernels.Cpu;

internal unsafe partial class CpuKernels : IPool2dKernels
{
    public void GlobalAveragePool(Shape shape, in Operand x, DeviceBuffer y) =>
        _pool.Run(new AveragePlanes(shape, new Affine(x), y.Floats()), shape.N);

    public void GlobalAveragePoolGradient(Shape shape, DeviceBuffer dy, in Operand through, bool accumulate, DeviceBuffer dx) =>
        _pool.Run(new AverageGradient(shape, dy.Floats(), new Affine(through), accumulate, dx.Floats()), shape.N);

    public void MaxPool(in PoolShape s, in Operand x, DeviceBuffer y) =>
        _pool.Run(new MaxPlanes(s, new Affine(x), y.Floats()), s.Input.N * Blocks.Count(s.Input.C));

    public void MaxPoolGradient(in PoolShape s, in Operand x, DeviceBuffer dy, in Operand through, bool accumulate, DeviceBuffer dx) =>
        _pool.Run(new MaxGradient(s, new Affine(x), dy.Floats(), new Affine(through), accumulate, dx.Floats()),
        s.Input.N * Blocks.Count(s.Input.C));
}

/// <summary>Means of all maps of one image, stored in the plain layout.</summary>
internal readonly unsafe struct AveragePlanes(Shape s, Affine x, float* y) : IJob
{
    public void Run(int index, Worker worker)
    {
        int blocks = Blocks.Count(s.C);
        for (int block = 0; block < blocks; block++)
        {
            Vec scale = x.ScaleOf(block), shift = x.ShiftOf(block), floor = x.Floor, sum = Vec.Zero;
            float* from = x.Data + ((long)index * blocks + block) * s.Area * Blocks.Size;
            for (int i = 0; i < s.Area * Blocks.Size; i += Blocks.Size)
                sum += Simd.AtLeast(Vector512.MultiplyAddEstimate(Vector512.Load(from + i), scale, shift), floor);
            Lanes.Store(sum / Vector512.Create((float)s.Area), y + (long)index * s.C + block * Blocks.Size, s.C - block * Blocks.Size);
        }
    }
}

/// <summary>Distributes the gradients of one image's means over its pixels.</summary>
internal readonly unsafe struct AverageGradient(Shape s, float* dy, Affine through, bool accumulate, float* dx) : IJob
{
    public void Run(int index, Worker worker)
    {
        int blocks = Blocks.Count(s.C);
        Vec area = Vector512.Create((float)s.Area);
        for (int block = 0; block < blocks; block++)
        {
            Vec mean = Lanes.Load(dy + (long)index * s.C + block * Blocks.Size, s.C - block * Blocks.Size);
            Plane(block, ((long)index * blocks + block) * s.Area * Blocks.Size, mean * through.ScaleOf(block) / area);
        }
    }

    private void Plane(int block, long offset, Vec spread)
    {
        Vec scale = through.ScaleOf(block), shift = through.ShiftOf(block);
        for (long i = offset; i < offset + (long)s.Area * Blocks.Size; i += Blocks.Size)
        {
            Vec v = spread;
            if (through.Relu)
                v &= Vector512.GreaterThan(Vector512.MultiplyAddEstimate(Vector512.Load(through.Data + i), scale, shift), Vec.Zero);
            if (accumulate) v += Vector512.Load(dx + i);
            v.Store(dx + i);
        }
    }
}

/// <summary>Window maxima of one plane; a NaN in a window is its maximum, as in PyTorch.</summary>
internal readonly unsafe struct MaxPlanes(PoolShape s, Affine x, float* y) : IJob
{
    public void Run(int index, Worker worker)
    {
        Shape input = s.Input, output = s.Output;
        int block = index % Blocks.Count(input.C);
        Vec scale = x.ScaleOf(block), shift = x.ShiftOf(block), floor = x.Floor;
        float* from = x.Data + (long)index * input.Area * Blocks.Size;
        float* to = y + (long)index * output.Area * Blocks.Size;
        for (int i = 0; i < output.H; i++)
            for (int j = 0; j < output.W; j++, to += Blocks.Size)
            {
                var (rows, columns) = (s.Taps(i, input.H), s.Taps(j, input.W));
                Vec best = Vector512.Create(float.NegativeInfinity);
                for (int a = rows.First; a < rows.End; a++)
                    for (int b = columns.First; b < columns.End; b++)
                    {
                        float* at = from + (a * input.W + b) * Blocks.Size;
                        best = Vector512.Max(best, Simd.AtLeast(Vector512.MultiplyAddEstimate(Vector512.Load(at), scale, shift), floor));
                    }
                best.Store(to);
            }
    }
}

/// <summary>Sends each window's gradient to its first largest value, in row-major order.</summary>
internal readonly unsafe struct MaxGradient(PoolShape s, Affine x, float* dy, Affine through, bool accumulate, float* dx) : IJob
{
    public void Run(int index, Worker worker)
    {
        Shape input = s.Input, output = s.Output;
        long offset = (long)index * input.Area * Blocks.Size;
        if (!accumulate) new Span<float>(dx + offset, input.Area * Blocks.Size).Clear();
        for (int i = 0; i < output.H; i++)
            for (int j = 0; j < output.W; j++)
                Window(index % Blocks.Count(input.C), offset, s.Taps(i, input.H), s.Taps(j, input.W),
                    dy + ((long)index * output.Area + i * output.W + j) * Blocks.Size);
    }

    private void Window(int block, long offset, (int First, int End) rows, (int First, int End) columns, float* g)
    {
        Vec scale = x.ScaleOf(block), shift = x.ShiftOf(block), floor = x.Floor;
        Vec best = Vector512.Create(float.NegativeInfinity), open = Vec.AllBitsSet;
        for (int pass = 0; pass < 2; pass++)
            for (int a = rows.First; a < rows.End; a++)
                for (int b = columns.First; b < columns.End; b++)
                {
                    long at = offset + ((long)a * s.Input.W + b) * Blocks.Size;
                    Vec v = Simd.AtLeast(Vector512.MultiplyAddEstimate(Vector512.Load(x.Data + at), scale, shift), floor);
                    if (pass == 0) best = Vector512.Max(best, v);
                    else open = Send((Vector512.Equals(v, best) | Vector512.IsNaN(v)) & open, block, at, g, open);
                }
    }

    private Vec Send(Vec hit, int block, long at, float* g, Vec open)
    {
        Vec scale = through.ScaleOf(block), shift = through.ShiftOf(block), v = Vector512.Load(g) * scale & hit;
        if (through.Relu)
            v &= Vector512.GreaterThan(Vector512.MultiplyAddEstimate(Vector512.Load(through.Data + at), scale, shift), Vec.Zero);
        (Vector512.Load(dx + at) + v).Store(dx + at);
        return Vector512.AndNot(open, hit);
    }
}
