namespace Rpat.Engine.Kernels.Cpu;

/// <summary>Scalar functions, one item per plane, 16 values at a time in single precision.</summary>
internal unsafe partial class CpuKernels : IElementwiseKernels
{
    public void Elementwise<TOp>(in TOp op, Shape shape, Layout layout, in Operand x, DeviceBuffer y) where TOp : struct, IElementwise =>
        Run(new ElementwiseJob<TOp>(op, shape, layout, new Affine(x), false, null, false, y.Floats()), shape, layout);

    public void ElementwiseGradient<TOp>(in TOp op, Shape shape, Layout layout, in Operand x, bool through, DeviceBuffer dy,
        bool accumulate, DeviceBuffer dx)
        where TOp : struct, IElementwise =>
            Run(new ElementwiseJob<TOp>(op, shape, layout, new Affine(x), through, dy.Floats(), accumulate, dx.Floats()), shape, layout);

    private void Run<TOp>(ElementwiseJob<TOp> job, Shape shape, Layout layout) where TOp : struct, IElementwise =>
        _pool.Run(job, shape.N * (layout == Layout.Plain ? shape.C : Blocks.Count(shape.C)));
}

/// <summary>y (+)= f(x), or f′(x)·dy if dy is given, on one plane; 0 in padding lanes.</summary>
internal readonly unsafe struct ElementwiseJob<TOp>(TOp op, Shape s, Layout layout, Affine x, bool through, float* dy, bool accumulate,
    float* y) : IJob
    where TOp : struct, IElementwise
{
    public void Run(int index, Worker worker)
    {
        var place = new Places(s, layout);
        int plane = index % place.Planes, area = s.Area * place.Lanes;
        bool plain = layout == Layout.Plain;
        Vec keep = Lanes.First(plain ? Blocks.Size : s.C - plane * Blocks.Size);
        Vec scale = x.Scale == null || !plain ? x.ScaleOf(plane) : Vector512.Create(x.Scale[plane]);
        Vec shift = x.Scale == null || !plain ? x.ShiftOf(plane) : Vector512.Create(x.Shift[plane]);
        for (int i = 0; i < area; i += Blocks.Size)
        {
            long at = (long)index * area + i;
            int left = area - i;
            Vec seen = Simd.AtLeast(Lanes.Load(x.Data + at, left) * scale + shift, x.Floor);
            Vec v = (dy == null ? op.Value(new Reals(seen)).V : Gradient(seen, Lanes.Load(dy + at, left), scale)) & keep;
            Lanes.Store(accumulate ? v + Lanes.Load(y + at, left) : v, y + at, left);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vec Gradient(Vec seen, Vec dy, Vec scale)
    {
        Vec g = op.Derivative(new Reals(seen)).V * dy;
        if (through) g *= scale;
        return through && x.Relu ? Vector512.ConditionalSelect(Vector512.Equals(seen, Vec.Zero), Vec.Zero, g) : g;
    }
}

/// <summary>16 numbers in single precision.</summary>
internal readonly struct Reals(Vec v) : IReal<Reals>
{
    public readonly Vec V = v;

    public static implicit operator Reals(double value) => new(Vector512.Create((float)value));
    public static Reals operator +(Reals a, Reals b) => new(a.V + b.V);
    public static Reals operator -(Reals a, Reals b) => new(a.V - b.V);
    public static Reals operator -(Reals a) => new(-a.V);
    public static Reals operator *(Reals a, Reals b) => new(a.V * b.V);
    public static Reals operator /(Reals a, Reals b) => new(a.V / b.V);

    public static Reals Exp(Reals x) => new(Simd.Exp(x.V));

    public static Reals Log(Reals x) => new(Vector512.Log(x.V));

    public static Reals IfLess(Reals a, Reals b, Reals then, Reals otherwise) =>
        new(Vector512.ConditionalSelect(Vector512.LessThan(a.V, b.V), then.V, otherwise.V));

    public static Reals IfEqual(Reals a, Reals b, Reals then, Reals otherwise) =>
        new(Vector512.ConditionalSelect(Vector512.Equals(a.V, b.V), then.V, otherwise.V));
}

/// <summary>Where the values of a tensor lie, in either layout.</summary>
internal readonly struct Places(Shape s, Layout layout)
{
    /// <summary>Channels of a plane.</summary>
    public int Lanes { get; } = layout == Layout.Plain ? 1 : Blocks.Size;

    /// <summary>Planes of a sample.</summary>
    public int Planes => (s.C + Lanes - 1) / Lanes;

    public long At(int n, int c, int h, int w) => ((((long)n * Planes + c / Lanes) * s.H + h) * s.W + w) * Lanes + c % Lanes;
}
