using System.Runtime.Intrinsics;
using Rpat.Engine.Kernels.Cpu;

namespace Rpat.Benchmarks;

/// <summary>
/// What the machine can do: fused multiply-adds on registers only, and copies between buffers too large for any cache. It runs on the
/// kernels' own threads: other threads would compete for the cores with these, which spin for a while.
/// </summary>
internal sealed unsafe class Machine : IDisposable
{
    private const nuint CopyBytes = 64 << 20; // per thread

    private readonly int _threads;
    private readonly nint _memory;

    public Machine(int threads)
    {
        _threads = threads;
        _memory = Filled(2 * CopyBytes * (nuint)threads);
    }

    private byte* From => (byte*)_memory;

    private byte* To => (byte*)_memory + CopyBytes * (nuint)_threads;

    /// <summary>FLOP/s of all threads together, a multiply-add counted as two.</summary>
    public static double Flops(WorkerPool pool)
    {
        long start = Stopwatch.GetTimestamp();
        double operations = MultiplyAdds.Run(pool, Tile.Best);
        return operations / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>Bytes read and written per second when every thread copies.</summary>
    public double CopyBandwidth(WorkerPool pool) =>
        2.0 * CopyBytes * _threads / Seconds(pool, new CopyJob(From, To, CopyBytes, true), _threads);

    /// <summary>
    /// Bytes that memory moves per second when every thread copies with ordinary stores: read, fetched into the cache before they
    /// are overwritten, and written.
    /// </summary>
    public double MovedBandwidth(WorkerPool pool) =>
        3.0 * CopyBytes * _threads / Seconds(pool, new CopyJob(From, To, CopyBytes, false), _threads);

    public void Dispose() => NativeMemory.Free((void*)_memory);

    private static nint Filled(nuint bytes)
    {
        void* memory = NativeMemory.Alloc(bytes);
        NativeMemory.Fill(memory, bytes, 1); // pages exist only once written
        return (nint)memory;
    }

    private static double Seconds<T>(WorkerPool pool, T job, int items) where T : struct, IJob
    {
        long start = Stopwatch.GetTimestamp();
        pool.Run(job, items);
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private readonly struct CopyJob(byte* from, byte* to, nuint bytes, bool library) : IJob
    {
        public void Run(int index, Worker worker)
        {
            nuint offset = (nuint)index * bytes;
            if (library) NativeMemory.Copy(from + offset, to + offset, bytes);
            else Copy((float*)(from + offset), (float*)(to + offset), bytes / sizeof(float));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Copy(float* from, float* to, nuint count)
    {
        for (nuint i = 0; i < count; i += (nuint)Vector512<float>.Count) Vector512.Load(from + i).Store(to + i);
    }
}
