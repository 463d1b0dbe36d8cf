namespace Rpat.Engine.Kernels.Cpu;

internal unsafe partial class CpuKernels : IAttackStepKernels
{
    public void LinfStep(long count, DeviceBuffer x, DeviceBuffer g, float step, float eps, DeviceBuffer adversarial) =>
        _pool.Run(new LinfPiece(count, x.Floats(), g.Floats(), step, eps, adversarial.Floats()), Pieces(count));

    public void L2Step(int n, int sampleCount, DeviceBuffer x, DeviceBuffer g, float step, float eps, bool ballFirst,
        DeviceBuffer adversarial) =>
        _pool.Run(new L2Sample(sampleCount, x.Floats(), g.Floats(), step, eps, ballFirst, adversarial.Floats()), n);

    private readonly struct LinfPiece(long count, float* x, float* g, float step, float eps, float* adversarial) : IJob
    {
        public void Run(int index, Worker worker)
        {
            Vec radius = Vector512.Create(eps);
            for (long i = (long)index * Grain, end = Math.Min(count, i + Grain); i < end; i += Blocks.Size)
            {
                Vec center = Lanes.Load(x + i, end - i);
                Vec moved = Lanes.Load(adversarial + i, end - i) + SignedStep(Lanes.Load(g + i, end - i));
                Lanes.Store(Pixel.Clamp(Simd.Clamp(moved, center - radius, center + radius)), adversarial + i, end - i);
            }
        }

        /// <summary>step·sign(g); no step if g is 0 or NaN.</summary>
        private Vec SignedStep(Vec gradient) =>
            (Vector512.GreaterThan(gradient, Vec.Zero) & Vector512.Create(step)) | (Vector512.LessThan(gradient,
            Vec.Zero) & Vector512.Create(-step));
    }

    private readonly struct L2Sample(int count, float* x, float* g, float step, float eps, bool ballFirst, float* adversarial) : IJob
    {
        public void Run(int index, Worker worker)
        {
            long at = (long)index * count;
            float* from = x + at, grad = g + at, to = adversarial + at;
            float length = (float)Norm.Of(grad, null, count), rate = step / (ballFirst ? length + 1e-8f : Math.Max(length, 1e-6f));
            for (int i = 0; i < count; i += Blocks.Size)
            {
                Vec moved = Lanes.Load(to + i, count - i) + rate * Lanes.Load(grad + i, count - i);
                Lanes.Store(ballFirst ? moved : Pixel.Clamp(moved), to + i, count - i);
            }
            Norm.ScaleIntoBall(from, to, count, eps, boxed: !ballFirst);
        }
    }
}

/// <summary>Pixels lie in [0, 1]; NaN stays NaN.</summary>
internal static class Pixel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec Clamp(Vec v) => Simd.Clamp(v, Vec.Zero, Vec.One);
}

/// <summary>Euclidean norms, summed in double.</summary>
internal static unsafe class Norm
{
    /// <summary>‖a − b‖, or ‖a‖ without b.</summary>
    public static double Of(float* a, float* b, int count)
    {
        Wide sum = 0;
        for (int i = 0; i < count; i += Blocks.Size)
        {
            Wide v = Wide.Of(Lanes.Load(a + i, count - i));
            if (b != null) v -= Wide.Of(Lanes.Load(b + i, count - i));
            sum += v * v;
        }
        return Math.Sqrt(sum.Sum());
    }

    /// <summary>Moves x′ towards x until ‖x′ − x‖ ≤ ε, if necessary, and then clips it to the box if it may lie outside.</summary>
    public static void ScaleIntoBall(float* x, float* adversarial, int count, float eps, bool boxed = true)
    {
        double norm = Of(adversarial, x, count);
        if (norm <= eps && boxed) return;
        Wide factor = norm <= eps ? 1 : eps / norm;
        for (int i = 0; i < count; i += Blocks.Size)
        {
            Wide center = Wide.Of(Lanes.Load(x + i, count - i));
            Wide moved = center + factor * (Wide.Of(Lanes.Load(adversarial + i, count - i)) - center);
            Lanes.Store(Pixel.Clamp(moved.Narrow()), adversarial + i, count - i);
        }
    }
}
