namespace Rpat.Engine.Kernels.Cpu;

/// <summary>Multiply-adds on registers only: the machine's peak, with which kernels are compared.</summary>
internal static partial class MultiplyAdds
{
    private const int Chains = 12; // of the generated methods
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
            if (set == InstructionSet.Avx512) V512Chained(Steps);
            else if (set == InstructionSet.Avx2) V256Chained(Steps);
            else V128Chained(Steps);
        }
    }
}
