namespace Rpat.Engine.Kernels.Cpu;

/// <summary>
/// Batch norm on <c>[N][blocks][pixels][16]</c>. Reductions run plane by plane in float32 relative to the plane's own mean, then over the
/// planes in double precision and in fixed order, sixteen channels at a time.
/// </summary>
internal unsafe partial class CpuKernels : IBatchNorm2dKernels
{
    public void BatchNormTrain(Shape shape, DeviceBuffer x, in BatchNormState state, bool moveRunning, in BatchNormSaved saved)
    {
        int blocks = Blocks.Count(shape.C);
        float* partial = _pool.Caller.Scratch(4, 2L * shape.N * blocks * Blocks.Size);
        _pool.Run(new PlaneMoments(shape, x.Floats(), partial), shape.N * blocks);
        _pool.Run(new BlockStatistics(shape, partial, new NormVectors(shape.C, state, saved), moveRunning), blocks);
    }

    public void BatchNormEval(int channels, in BatchNormState state, in BatchNormSaved saved)
    {
        var vectors = new NormVectors(channels, state, saved);
        for (int block = 0; block < Blocks.Count(channels); block++) vectors.SetFromRunning(block);
    }

    public void BatchNormBackward(Shape shape, DeviceBuffer x, DeviceBuffer dh, in BatchNormSaved saved, bool relu, bool batchStatistics,
        BatchNormGradients gradients)
    {
        int blocks = Blocks.Count(shape.C), padded = blocks * Blocks.Size;
        float* partial = _pool.Caller.Scratch(4, 2L * shape.N * padded);
        float* linear = _pool.Caller.Scratch(5, 2L * padded);
        var view = new Affine(x.Floats(), saved.Scale.Floats(), saved.Shift.Floats(), relu);
        _pool.Run(new PlaneGradientSums(shape, view, dh.Floats(), saved.Mean.Floats(), saved.InvStd.Floats(), partial), shape.N * blocks);
        _pool.Run(new BlockGradient(shape, partial, saved, batchStatistics, gradients, linear, linear + padded), blocks);
        if (gradients.X is { } dx)
            _pool.Run(new PlaneGradient(shape, view, dh.Floats(), linear, linear + padded, gradients.AddX, dx.Floats()), shape.N * blocks);
    }

    public void BatchNormInputGradient(
        Shape shape, DeviceBuffer x, DeviceBuffer dh, in BatchNormSaved saved, bool relu, DeviceBuffer lines, bool add, DeviceBuffer dx)
    {
        int blocks = Blocks.Count(shape.C);
        var view = new Affine(x.Floats(), saved.Scale.Floats(), saved.Shift.Floats(), relu);
        float* slopes = lines.Floats();
        _pool.Run(new PlaneGradient(shape, view, dh.Floats(), slopes, slopes + blocks * Blocks.Size, add, dx.Floats()), shape.N * blocks);
    }
}

/// <summary>A batch norm's vectors, sixteen channels at a time; lanes beyond the last channel become zeros.</summary>
internal readonly unsafe struct NormVectors(int channels, BatchNormState state, BatchNormSaved saved)
{
    /// <summary>Scale and shift of a channel block from a mean and a biased variance.</summary>
    public void Set(int block, Wide mean, Wide variance)
    {
        int c = block * Blocks.Size;
        Wide gamma = Load(state.Gamma, block), beta = Load(state.Beta, block);
        Wide invStd = 1 / Wide.Sqrt(variance + (double)state.Epsilon), scale = gamma * invStd;
        Vec valid = Lanes.First(channels - c);
        (mean.Narrow() & valid).Store(saved.Mean.Floats() + c);
        (invStd.Narrow() & valid).Store(saved.InvStd.Floats() + c);
        (scale.Narrow() & valid).Store(saved.Scale.Floats() + c);
        ((beta - scale * mean).Narrow() & valid).Store(saved.Shift.Floats() + c);
    }

    public void SetFromRunning(int block) => Set(block, Load(state.RunningMean, block), Load(state.RunningVar, block));

    /// <summary>Moves the running statistics towards a batch's mean and unbiased variance.</summary>
    public void Move(int block, Wide mean, Wide variance)
    {
        Move(state.RunningMean, block, mean);
        Move(state.RunningVar, block, variance);
    }

    private Wide Load(DeviceBuffer values, int block) =>
        Wide.Of(Lanes.Load(values.Floats() + block * Blocks.Size, channels - block * Blocks.Size));

    private void Move(DeviceBuffer running, int block, Wide value)
    {
        double momentum = state.Momentum;
        Vec moved = ((1 - momentum) * Load(running, block) + momentum * value).Narrow();
        Lanes.Store(moved, running.Floats() + block * Blocks.Size, channels - block * Blocks.Size);
    }
}

/// <summary>Combines the planes' means and squared deviations of one channel block.</summary>
internal readonly unsafe struct BlockStatistics(Shape s, float* partial, NormVectors vectors, bool moveRunning) : IJob
{
    public void Run(int index, Worker worker)
    {
        nint step = 2 * Blocks.Count(s.C) * Blocks.Size;
        float* planes = partial + 2 * index * Blocks.Size;
        Wide mean = 0, squares = 0, area = s.Area;
        for (int n = 0; n < s.N; n++) mean += Wide.Of(Vector512.Load(planes + n * step));
        mean /= s.N;
        for (int n = 0; n < s.N; n++)
        {
            Wide apart = Wide.Of(Vector512.Load(planes + n * step)) - mean;
            squares += Wide.Of(Vector512.Load(planes + n * step + Blocks.Size)) + area * apart * apart;
        }
        double count = (double)s.N * s.Area;
        vectors.Set(index, mean, squares / count);
        if (moveRunning) vectors.Move(index, mean, squares / (count - 1));
    }
}

/// <summary>
/// Combines the planes' gradient sums of one channel block: dβ, dγ, and dx = scale·g + slope·x + offset, with the mean terms folded into
/// two numbers per channel.
/// </summary>
internal readonly unsafe struct BlockGradient(Shape s, float* partial, BatchNormSaved saved, bool batchStatistics,
    BatchNormGradients gradients, float* slopes, float* offsets) : IJob
{
    public void Run(int index, Worker worker)
    {
        nint step = 2 * Blocks.Count(s.C) * Blocks.Size;
        float* planes = partial + 2 * index * Blocks.Size;
        Wide sum = 0, product = 0;
        for (int n = 0; n < s.N; n++, planes += step)
        {
            sum += Wide.Of(Vector512.Load(planes));
            product += Wide.Of(Vector512.Load(planes + Blocks.Size));
        }
        AddOrStore(gradients.Beta, index, sum);
        AddOrStore(gradients.Gamma, index, product);
        Linear(index * Blocks.Size, sum, product);
    }

    private void Linear(int c, Wide sum, Wide product)
    {
        double share = batchStatistics ? 1 / ((double)s.N * s.Area) : 0;
        Wide scale = Wide.Of(Vector512.Load(saved.Scale.Floats() + c)), mean = Wide.Of(Vector512.Load(saved.Mean.Floats() + c));
        Wide slope = -share * scale * Wide.Of(Vector512.Load(saved.InvStd.Floats() + c)) * product;
        slope.Narrow().Store(slopes + c);
        (-share * scale * sum - slope * mean).Narrow().Store(offsets + c);
    }

    private void AddOrStore(DeviceBuffer? to, int block, Wide value)
    {
        if (to is null) return;
        float* at = to.Floats() + block * Blocks.Size;
        int left = s.C - block * Blocks.Size;
        Vec old = gradients.AddParameters ? Lanes.Load(at, left) : Vec.Zero;
        Lanes.Store(value.Narrow() + old, at, left);
    }
}

/// <summary>Mean and squared deviations of one plane of 16 channels.</summary>
internal readonly unsafe struct PlaneMoments(Shape s, float* x, float* partial) : IJob
{
    public void Run(int index, Worker worker)
    {
        float* from = x + (long)index * s.Area * Blocks.Size;
        float* to = partial + 2L * index * Blocks.Size;
        Vec area = Vector512.Create((float)s.Area), mean = Sum(from, s.Area) / area;
        var (rest, squares) = Deviations(from, s.Area, mean);
        // Far from zero, rounding takes a sum of many values off; below 2⁻¹⁶ deviations that is nothing.
        Vec off = rest / area, lost = off * rest;
        Vec counts = Vector512.GreaterThan(lost, squares * Vector512.Create(1f / (1L << 32)));
        (mean + (off & counts)).Store(to);
        Vector512.Max(squares - (lost & counts), Vec.Zero).Store(to + Blocks.Size);
    }

    private static Vec Sum(float* x, int pixels)
    {
        Vec a = Vec.Zero, b = Vec.Zero, c = Vec.Zero, d = Vec.Zero;
        int i = 0;
        for (; i + 4 <= pixels; i += 4, x += 64)
        {
            a += Vector512.Load(x);
            b += Vector512.Load(x + 16);
            c += Vector512.Load(x + 32);
            d += Vector512.Load(x + 48);
        }
        for (; i < pixels; i++, x += 16) a += Vector512.Load(x);
        return a + b + (c + d);
    }

    private static (Vec Sum, Vec Squares) Deviations(float* x, int pixels, Vec mean)
    {
        Vec a = Vec.Zero, b = Vec.Zero, rest = Vec.Zero;
        int i = 0;
        for (; i + 2 <= pixels; i += 2, x += 32)
        {
            Vec p = Vector512.Load(x) - mean, q = Vector512.Load(x + 16) - mean;
            a = Vector512.MultiplyAddEstimate(p, p, a);
            b = Vector512.MultiplyAddEstimate(q, q, b);
            rest += p + q;
        }
        if (i == pixels) return (rest, a + b);
        Vec last = Vector512.Load(x) - mean;
        return (rest + last, Vector512.MultiplyAddEstimate(last, last, a) + b);
    }
}

/// <summary>Σg and Σg·x̂ of one plane, where g is the gradient at the ReLU's input.</summary>
internal readonly unsafe struct PlaneGradientSums(Shape s, Affine view, float* dh, float* mean, float* invStd, float* partial) : IJob
{
    public void Run(int index, Worker worker)
    {
        int block = index % Blocks.Count(s.C);
        Vec scale = view.ScaleOf(block), shift = view.ShiftOf(block), keep = view.Relu ? Vec.Zero : Vec.AllBitsSet;
        Vec m = Vector512.Load(mean + block * Blocks.Size), sum = Vec.Zero, product = Vec.Zero;
        long offset = (long)index * s.Area * Blocks.Size;
        float* x = view.Data + offset, g = dh + offset;
        for (int i = 0; i < s.Area * Blocks.Size; i += Blocks.Size)
        {
            Vec v = Vector512.Load(x + i);
            Vec d = Vector512.Load(g + i) & (Vector512.GreaterThan(Vector512.MultiplyAddEstimate(v, scale, shift), Vec.Zero) | keep);
            sum += d;
            product = Vector512.MultiplyAddEstimate(d, v - m, product);
        }
        float* to = partial + 2L * index * Blocks.Size;
        sum.Store(to);
        (product * Vector512.Load(invStd + block * Blocks.Size)).Store(to + Blocks.Size);
    }
}

/// <summary>dx (+)= scale·g + slope·x + offset on one plane.</summary>
internal readonly unsafe struct PlaneGradient(Shape s, Affine view, float* dh, float* slope, float* constant, bool accumulate, float* dx)
    : IJob
{
    public void Run(int index, Worker worker)
    {
        int block = index % Blocks.Count(s.C);
        Vec scale = view.ScaleOf(block), shift = view.ShiftOf(block), keep = view.Relu ? Vec.Zero : Vec.AllBitsSet;
        Vec a = Vector512.Load(slope + block * Blocks.Size), b = Vector512.Load(constant + block * Blocks.Size);
        long offset = (long)index * s.Area * Blocks.Size;
        float* x = view.Data + offset, g = dh + offset, to = dx + offset;
        for (int i = 0; i < s.Area * Blocks.Size; i += Blocks.Size)
        {
            Vec v = Vector512.Load(x + i);
            Vec d = Vector512.Load(g + i) & (Vector512.GreaterThan(Vector512.MultiplyAddEstimate(v, scale, shift), Vec.Zero) | keep);
            Vec result = Vector512.MultiplyAddEstimate(d, scale, Vector512.MultiplyAddEstimate(v, a, b));
            if (accumulate) result += Vector512.Load(to + i);
            result.Store(to + i);
        }
    }
}
