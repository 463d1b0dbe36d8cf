namespace Rpat.Engine.Kernels.Cpu;

/// <summary>Multiply-adds on registers only: the machine's peak, with which kernels are compared.</summary>
internal static class MultiplyAdds
{
    private const int Chains = 12; // independent sums: more than two units × four cycles of latency
    private const int Steps = 40_000;
    private const int Bursts = 24; // per thread

    /// <summary>
    /// Runs them on the kernels' own threads: other threads would compete for the cores with these, which spin for a while.
    /// </summary>
    /// <returns>Operations, a multiply-add counted as two.</returns>
    public static double Run(WorkerPool pool, InstructionSet set)
    {
        pool.Run(new Burst(set), Bursts * pool.Threads);
        return 2.0 * Chains * Steps * Lanes(set) * Bursts * pool.Threads;
    }

    private static int Lanes(InstructionSet set) => set switch
    {
        InstructionSet.Avx512 => Vector512<float>.Count,
        InstructionSet.Avx2 => Vector256<float>.Count,
        _ => Vector128<float>.Count,
    };

    private readonly struct Burst(InstructionSet set) : IJob
    {
        public void Run(int index, Worker worker)
        {
            if (set == InstructionSet.Avx512) Chained512(Steps);
            else if (set == InstructionSet.Avx2) Chained256(Steps);
            else Chained128(Steps);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static Vector512<float> Chained512(int steps)
    {
        Vector512<float> x = Vector512.Create(0.5f), c0 = x, c1 = x, c2 = x, c3 = x, c4 = x, c5 = x, c6 = x, c7 = x, c8 = x, c9 = x,
            c10 = x, c11 = x;
        for (int i = 0; i < steps; i++)
        {
            c0 = Vector512.MultiplyAddEstimate(c0, x, x); c1 = Vector512.MultiplyAddEstimate(c1, x, x);
            c2 = Vector512.MultiplyAddEstimate(c2, x, x); c3 = Vector512.MultiplyAddEstimate(c3, x, x);
            c4 = Vector512.MultiplyAddEstimate(c4, x, x); c5 = Vector512.MultiplyAddEstimate(c5, x, x);
            c6 = Vector512.MultiplyAddEstimate(c6, x, x); c7 = Vector512.MultiplyAddEstimate(c7, x, x);
            c8 = Vector512.MultiplyAddEstimate(c8, x, x); c9 = Vector512.MultiplyAddEstimate(c9, x, x);
            c10 = Vector512.MultiplyAddEstimate(c10, x, x); c11 = Vector512.MultiplyAddEstimate(c11, x, x);
        }
        return c0 + c1 + c2 + c3 + c4 + c5 + c6 + c7 + c8 + c9 + c10 + c11;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static Vector256<float> Chained256(int steps)
    {
        Vector256<float> x = Vector256.Create(0.5f), c0 = x, c1 = x, c2 = x, c3 = x, c4 = x, c5 = x, c6 = x, c7 = x, c8 = x, c9 = x,
            c10 = x, c11 = x;
        for (int i = 0; i < steps; i++)
        {
            c0 = Vector256.MultiplyAddEstimate(c0, x, x); c1 = Vector256.MultiplyAddEstimate(c1, x, x);
            c2 = Vector256.MultiplyAddEstimate(c2, x, x); c3 = Vector256.MultiplyAddEstimate(c3, x, x);
            c4 = Vector256.MultiplyAddEstimate(c4, x, x); c5 = Vector256.MultiplyAddEstimate(c5, x, x);
            c6 = Vector256.MultiplyAddEstimate(c6, x, x); c7 = Vector256.MultiplyAddEstimate(c7, x, x);
            c8 = Vector256.MultiplyAddEstimate(c8, x, x); c9 = Vector256.MultiplyAddEstimate(c9, x, x);
            c10 = Vector256.MultiplyAddEstimate(c10, x, x); c11 = Vector256.MultiplyAddEstimate(c11, x, x);
        }
        return c0 + c1 + c2 + c3 + c4 + c5 + c6 + c7 + c8 + c9 + c10 + c11;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static Vector128<float> Chained128(int steps)
    {
        Vector128<float> x = Vector128.Create(0.5f), c0 = x, c1 = x, c2 = x, c3 = x, c4 = x, c5 = x, c6 = x, c7 = x, c8 = x, c9 = x,
            c10 = x, c11 = x;
        for (int i = 0; i < steps; i++)
        {
            c0 = Vector128.MultiplyAddEstimate(c0, x, x); c1 = Vector128.MultiplyAddEstimate(c1, x, x);
            c2 = Vector128.MultiplyAddEstimate(c2, x, x); c3 = Vector128.MultiplyAddEstimate(c3, x, x);
            c4 = Vector128.MultiplyAddEstimate(c4, x, x); c5 = Vector128.MultiplyAddEstimate(c5, x, x);
            c6 = Vector128.MultiplyAddEstimate(c6, x, x); c7 = Vector128.MultiplyAddEstimate(c7, x, x);
            c8 = Vector128.MultiplyAddEstimate(c8, x, x); c9 = Vector128.MultiplyAddEstimate(c9, x, x);
            c10 = Vector128.MultiplyAddEstimate(c10, x, x); c11 = Vector128.MultiplyAddEstimate(c11, x, x);
        }
        return c0 + c1 + c2 + c3 + c4 + c5 + c6 + c7 + c8 + c9 + c10 + c11;
    }
}
