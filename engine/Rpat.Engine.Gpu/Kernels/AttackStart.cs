using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>Random starts: the same Philox words as on the CPU, one block of four per thread, rounded at the same points.</summary>
internal abstract partial class GpuKernels : IAttackStartKernels
{
    private int[] _samples = [];

    public void LinfStart(int n, int sampleCount, DeviceBuffer x, float eps, in RandomKey key, ReadOnlySpan<long> samples,
        DeviceBuffer adversarial)
    {
        var draws = Draws(n, key, samples);
        int blocks = Quads(sampleCount);
        ForEach((long)n * blocks, new LinfStartBlock(n, sampleCount, blocks, draws, x.Floats(), eps, adversarial.Floats()));
    }

    public void L2Start(int n, int sampleCount, DeviceBuffer x, float eps, in RandomKey key, ReadOnlySpan<long> samples,
        DeviceBuffer adversarial) =>
        Launch(n, Ball.Threads, new L2StartSample(sampleCount, Draws(n, key, samples), x.Floats(), eps, adversarial.Floats()));

    public void GaussianStart(int n, int sampleCount, DeviceBuffer x, float deviation, in RandomKey key, ReadOnlySpan<long> samples,
        DeviceBuffer adversarial)
    {
        var draws = Draws(n, key, samples);
        int blocks = Quads(sampleCount);
        ForEach((long)n * blocks, new GaussianStartBlock(n, sampleCount, blocks, draws, x.Floats(), deviation, adversarial.Floats()));
    }

    private SampleDraws Draws(int n, in RandomKey key, ReadOnlySpan<long> samples)
    {
        if (_samples.Length < n) _samples = new int[n];
        for (int i = 0; i < n; i++) _samples[i] = (int)(key with { Sample = samples[i] }).Stream().Counter(0).W1;
        var numbers = _scratch.Words(ScratchSlot.Samples, n).Cast<int>();
        staging.Upload<int>(_samples.AsSpan(0, n), numbers);
        PhiloxBlock counter = (key with { Sample = 0 }).Stream().Counter(0);
        return new SampleDraws(key.Seed, numbers, counter.W2, counter.W3);
    }
}

/// <summary>The random streams of a batch: they differ in the second word of the counter, the sample.</summary>
internal readonly struct SampleDraws(ulong seed, ArrayView<int> samples, uint counter2, uint counter3)
{
    /// <summary>Draws 4·block to 4·block + 3 of a sample.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public PhiloxBlock Block(int sample, int block) =>
        Philox.Block(new PhiloxBlock((uint)block, (uint)samples[sample], counter2, counter3), seed);
}

/// <summary>Four values of x′ = clip₀₁(x + ε·u), u uniform in [−1, 1).</summary>
internal readonly struct LinfStartBlock(
    int n, int count, int blocks, SampleDraws draws, ArrayView<float> x, float eps, ArrayView<float> adversarial) : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int item = Grid.IdxX * Group.DimX + Group.IdxX, sample = item / blocks, block = item - sample * blocks, i = 4 * block;
        if (sample >= n) return;
        PhiloxBlock words = draws.Block(sample, block);
        Put(sample, i, words.W0);
        Put(sample, i + 1, words.W1);
        Put(sample, i + 2, words.W2);
        Put(sample, i + 3, words.W3);
    }

    // The product is rounded to float before the sum, as on the CPU: by way of double, which no assembler contracts to an fma.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Put(int sample, int i, uint word)
    {
        if (i >= count) return;
        int at = sample * count + i;
        adversarial[at] = Box.Clamp(x[at] + (float)((double)eps * PhiloxStream.ToSymmetric(word)), 0, 1);
    }
}

/// <summary>One group per sample: a uniform point of the box, then scaled into the ball.</summary>
internal readonly struct L2StartSample(int count, SampleDraws draws, ArrayView<float> x, float eps, ArrayView<float> adversarial) : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        ArrayView<double> shared = SharedMemory.Allocate<double>(Ball.Threads);
        int first = Grid.IdxX * count;
        double squares = 0;
        for (int block = Group.IdxX; 4 * block < count; block += Ball.Threads)
        {
            PhiloxBlock words = draws.Block(Grid.IdxX, block);
            int i = 4 * block;
            squares += Put(first, i, words.W0) + Put(first, i + 1, words.W1) + Put(first, i + 2, words.W2) + Put(first, i + 3, words.W3);
        }
        Ball.Project(squares, first, count, x, adversarial, eps, 1, shared);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private double Put(int first, int i, uint word)
    {
        if (i >= count) return 0;
        float u = PhiloxStream.ToUniform(word);
        adversarial[first + i] = u;
        return Ball.Square(u, x[first + i]);
    }
}

/// <summary>Four values of x′ = x + σ·n, n normal by the Box–Muller transform, as <see cref="PhiloxStream.Normal"/> draws them.</summary>
internal readonly struct GaussianStartBlock(
    int n, int count, int blocks, SampleDraws draws, ArrayView<float> x, float deviation, ArrayView<float> adversarial) : IKernel
{
    private const double Unit32 = 1.0 / (1L << 32);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int item = Grid.IdxX * Group.DimX + Group.IdxX, sample = item / blocks, block = item - sample * blocks, i = 4 * block;
        if (sample >= n) return;
        PhiloxBlock words = draws.Block(sample, block);
        PutPair(sample, i, words.W0, words.W1);
        PutPair(sample, i + 2, words.W2, words.W3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void PutPair(int sample, int i, uint radiusWord, uint angleWord)
    {
        double radius = Math.Sqrt(-2 * Real.Log((radiusWord + 1.0) * Unit32)), turn = angleWord * Unit32;
        Put(sample, i, (float)(radius * Real.CosTurn(turn)));
        Put(sample, i + 1, (float)(radius * Real.CosTurn(turn + 0.75))); // sin a = cos(a + 3/4 turn)
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Put(int sample, int i, float normal)
    {
        if (i >= count) return;
        int at = sample * count + i;
        adversarial[at] = x[at] + (float)((double)deviation * normal);
    }
}
