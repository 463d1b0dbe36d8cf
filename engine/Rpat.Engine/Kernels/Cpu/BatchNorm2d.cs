using System.Runtime.Intrinsics;
using Vec = System.Runtime.Intrinsics.Vector512<float>;

namespace Rpat.Engine.Kernels.Cpu;

/// <summary>
/// Batch norm on <c>[N][blocks][pixels][16]</c>. Reductions go plane by plane in float32 around the plane's own mean, then over
/// the planes in double and in fixed order.
/// </summary>
internal sealed unsafe partial class CpuKernels : IBatchNorm2dKernels
{
    public void BatchNormTrain(Shape shape, DeviceBuffer x, in BatchNormState state, bool moveRunning, in BatchNormSaved saved)
    {
        int blocks = Blocks.Count(shape.C);
        float* partial = _pool.Caller.Scratch(4, 2L * shape.N * blocks * Blocks.Size);
        _pool.Run(new PlaneMoments(shape, x.Floats(), partial), shape.N * blocks);
        for (int c = 0; c < shape.C; c++) FinishMoments(shape, partial, c, state, moveRunning, saved);
        for (int c = shape.C; c < blocks * Blocks.Size; c++) SetAffine(saved, c, 0, 0, 0, 0);
    }

    public void BatchNormEval(int channels, in BatchNormState state, in BatchNormSaved saved)
    {
        for (int c = 0; c < channels; c++)
        {
            double invStd = 1 / Math.Sqrt(state.RunningVar.Floats()[c] + (double)Nn.BatchNorm2d.Epsilon);
            double mean = state.RunningMean.Floats()[c];
            SetAffine(saved, c, mean, invStd, state.Gamma.Floats()[c], state.Beta.Floats()[c]);
        }
        for (int c = channels; c < Blocks.Count(channels) * Blocks.Size; c++) SetAffine(saved, c, 0, 0, 0, 0);
    }

    public void BatchNormBackward(Shape shape, DeviceBuffer x, DeviceBuffer dh, in BatchNormSaved saved, bool relu, bool batchStatistics,
        BatchNormGradients gradients)
    {
        int blocks = Blocks.Count(shape.C), padded = blocks * Blocks.Size;
        float* partial = _pool.Caller.Scratch(4, 2L * shape.N * padded);
        float* linear = _pool.Caller.Scratch(5, 2L * padded);
        var view = new Affine(x.Floats(), saved.Scale.Floats(), saved.Shift.Floats(), relu);
        _pool.Run(new PlaneGradientSums(shape, view, dh.Floats(), saved.Mean.Floats(), saved.InvStd.Floats(), partial), shape.N * blocks);
        new Span<float>(linear, 2 * padded).Clear();
        for (int c = 0; c < shape.C; c++) FinishGradient(shape, partial, c, saved, batchStatistics, gradients, linear);
        if (gradients.X is { } dx)
            _pool.Run(new PlaneGradient(shape, view, dh.Floats(), linear, linear + padded, gradients.AddX, dx.Floats()), shape.N * blocks);
    }

    /// <summary>Joins the planes' means and squared deviations (Chan et al.).</summary>
    private static void FinishMoments(Shape s, float* partial, int c, in BatchNormState state, bool moveRunning, in BatchNormSaved saved)
    {
        int blocks = Blocks.Count(s.C);
        double mean = 0, squares = 0;
        for (int n = 0; n < s.N; n++)
        {
            float* p = partial + 2L * (n * blocks + c / Blocks.Size) * Blocks.Size + c % Blocks.Size;
            double delta = p[0] - mean;
            mean += delta / (n + 1);
            squares += p[Blocks.Size] + delta * delta * s.Area * n / (n + 1.0);
        }
        double count = (double)s.N * s.Area, variance = squares / count;
        SetAffine(saved, c, mean, 1 / Math.Sqrt(variance + Nn.BatchNorm2d.Epsilon), state.Gamma.Floats()[c], state.Beta.Floats()[c]);
        if (!moveRunning) return;
        Move(state.RunningMean.Floats() + c, mean);
        Move(state.RunningVar.Floats() + c, squares / (count - 1));
    }

    private static void Move(float* running, double value) =>
        *running = (float)((1 - (double)Nn.BatchNorm2d.Momentum) * *running + Nn.BatchNorm2d.Momentum * value);

    private static void SetAffine(in BatchNormSaved saved, int c, double mean, double invStd, double gamma, double beta)
    {
        saved.Mean.Floats()[c] = (float)mean;
        saved.InvStd.Floats()[c] = (float)invStd;
        saved.Scale.Floats()[c] = (float)(gamma * invStd);
        saved.Shift.Floats()[c] = (float)(beta - gamma * invStd * mean);
    }

    /// <summary>dx = scale·g + slope·x + offset: the mean terms folded into two numbers a channel.</summary>
    private static void FinishGradient(Shape s, float* partial, int c, in BatchNormSaved saved, bool batchStatistics,
        in BatchNormGradients gradients, float* linear)
    {
        int blocks = Blocks.Count(s.C);
        double sum = 0, product = 0;
        for (int n = 0; n < s.N; n++)
        {
            float* p = partial + 2L * (n * blocks + c / Blocks.Size) * Blocks.Size + c % Blocks.Size;
            sum += p[0];
            product += p[Blocks.Size];
        }
        AddOrStore(gradients.Beta, c, sum, gradients.AddParameters);
        AddOrStore(gradients.Gamma, c, product, gradients.AddParameters);
        if (!batchStatistics) return;
        double count = (double)s.N * s.Area, scale = saved.Scale.Floats()[c], slope = -scale * saved.InvStd.Floats()[c] * product / count;
        linear[c] = (float)slope;
        linear[blocks * Blocks.Size + c] = (float)(-scale * sum / count - slope * saved.Mean.Floats()[c]);
    }

    private static void AddOrStore(DeviceBuffer? to, int c, double value, bool add)
    {
        if (to is not null) to.Floats()[c] = (float)value + (add ? to.Floats()[c] : 0);
    }
}

/// <summary>Mean and squared deviations of one plane of 16 channels.</summary>
internal readonly unsafe struct PlaneMoments(Shape s, float* x, float* partial) : IJob
{
    public void Run(int index, Worker worker)
    {
        float* from = x + (long)index * s.Area * Blocks.Size;
        float* to = partial + 2L * index * Blocks.Size;
        Vec mean = Sum(from, s.Area) / Vector512.Create((float)s.Area);
        mean.Store(to);
        Deviations(from, s.Area, mean).Store(to + Blocks.Size);
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

    private static Vec Deviations(float* x, int pixels, Vec mean)
    {
        Vec a = Vec.Zero, b = Vec.Zero;
        int i = 0;
        for (; i + 2 <= pixels; i += 2, x += 32)
        {
            Vec p = Vector512.Load(x) - mean, q = Vector512.Load(x + 16) - mean;
            a = Vector512.MultiplyAddEstimate(p, p, a);
            b = Vector512.MultiplyAddEstimate(q, q, b);
        }
        if (i < pixels)
        {
            Vec p = Vector512.Load(x) - mean;
            a = Vector512.MultiplyAddEstimate(p, p, a);
        }
        return a + b;
    }
}

/// <summary>Σg and Σg·x̂ of one plane, g the gradient behind the ReLU.</summary>
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
internal readonly unsafe struct PlaneGradient(Shape s, Affine view, float* dh, float* slope, float* constant, bool accumulate, float* dx) : IJob
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
