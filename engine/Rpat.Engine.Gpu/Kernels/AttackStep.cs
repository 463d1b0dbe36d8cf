using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

internal abstract partial class GpuKernels : IAttackStepKernels
{
    public void LinfStep(long count, DeviceBuffer x, DeviceBuffer g, float step, float eps, DeviceBuffer adversarial) =>
        ForEach(Quads(count), new LinfStepQuad(x.Flat(count), g.Flat(count), step, eps, adversarial.Flat(count)));

    public void L2Step(int n, int sampleCount, DeviceBuffer x, DeviceBuffer g, float step, float eps, bool ballFirst,
        DeviceBuffer adversarial) =>
        Launch(n, Ball.Threads, new L2StepSample(sampleCount, x.Floats(), g.Floats(), step, eps, ballFirst ? 1 : 0, adversarial.Floats()));
}

/// <summary>x′ = clip₀₁(clip(x′ + step·sign g, x ± ε)).</summary>
internal readonly struct LinfStepQuad(Flat x, Flat g, float step, float eps, Flat adversarial) : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        V4 from = x.Load(i), d = g.Load(i), to = adversarial.Load(i);
        adversarial.Store(i, new V4(Move(from.X, d.X, to.X), Move(from.Y, d.Y, to.Y), Move(from.Z, d.Z, to.Z), Move(from.W, d.W, to.W)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private float Move(float from, float d, float to)
    {
        float moved = to + (d > 0 ? step : d < 0 ? -step : 0);
        return Box.Clamp(Box.Clamp(moved, from - eps, from + eps), 0, 1);
    }
}

/// <summary>One group per sample: the gradient's norm, the step, the result's norm, and the projection into the ball.</summary>
internal readonly struct L2StepSample(
    int count, ArrayView<float> x, ArrayView<float> g, float step, float eps, int ballFirst, ArrayView<float> adversarial) : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        ArrayView<double> shared = SharedMemory.Allocate<double>(Ball.Threads);
        int first = Grid.IdxX * count;
        double squares = 0;
        for (int i = Group.IdxX; i < count; i += Ball.Threads) squares += (double)g[first + i] * g[first + i];
        float norm = (float)Math.Sqrt(Reduce.GroupSum(squares, shared, Ball.Threads));
        float rate = step / (ballFirst != 0 ? norm + 1e-8f : norm > 1e-6f ? norm : 1e-6f);
        double moved = 0;
        for (int i = Group.IdxX; i < count; i += Ball.Threads)
        {
            float to = adversarial[first + i] + rate * g[first + i];
            if (ballFirst == 0) to = Box.Clamp(to, 0, 1);
            adversarial[first + i] = to;
            moved += Ball.Square(to, x[first + i]);
        }
        Ball.Project(moved, first, count, x, adversarial, eps, 1 - ballFirst, shared);
    }
}

internal static class Box
{
    /// <summary>Like Math.Clamp; a NaN stays NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Clamp(float v, float low, float high) => v < low ? low : v > high ? high : v;
}

/// <summary>Projection of a sample into the ε-ball around its image by the threads of one group.</summary>
internal static class Ball
{
    public const int Threads = 256;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Square(float to, float from) => ((double)to - from) * ((double)to - from);

    /// <summary>
    /// Scales δ = x′ − x to length ε if it is longer, then clips x′ to the box if it may lie outside; each thread passes its part of ‖δ‖².
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Project(
        double squares, int first, int count, ArrayView<float> x, ArrayView<float> adversarial, float eps, int boxed,
        ArrayView<double> shared)
    {
        double norm = Math.Sqrt(Reduce.GroupSum(squares, shared, Threads));
        if (norm <= eps && boxed != 0) return;
        double factor = norm <= eps ? 1 : eps / norm;
        for (int i = first + Group.IdxX; i < first + count; i += Threads)
            adversarial[i] = Box.Clamp((float)(x[i] + factor * ((double)adversarial[i] - x[i])), 0, 1);
    }
}
