using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Rpat.Engine.Kernels.Cpu;

namespace Rpat.Benchmarks;

/// <summary>
/// What the machine can do: fused multiply-adds on registers only, and copies between memories that no cache holds. It runs on the
/// kernels' own threads: others would share the cores with these, which wait awake for a while.
/// </summary>
internal sealed unsafe class Machine : IDisposable
{
    private const int Chains = 12; // independent sums: more than two units times four cycles of latency
    private const int Steps = 40_000;
    private const int Bursts = 24; // a thread
    private const nuint CopyBytes = 64 << 20; // a thread

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
    public double Flops(WorkerPool pool) => 2.0 * Chains * Steps * Lanes * Bursts * _threads / Seconds(pool, new ChainJob(Steps), Bursts * _threads);

    /// <summary>Bytes read and written a second when every thread copies.</summary>
    public double CopyBandwidth(WorkerPool pool) => 2.0 * CopyBytes * _threads / Seconds(pool, new CopyJob(From, To, CopyBytes, true), _threads);

    /// <summary>
    /// Bytes that memory moves a second when every thread copies with ordinary stores: read, fetched into the cache before they
    /// are overwritten, and written.
    /// </summary>
    public double MovedBandwidth(WorkerPool pool) => 3.0 * CopyBytes * _threads / Seconds(pool, new CopyJob(From, To, CopyBytes, false), _threads);

    public void Dispose() => NativeMemory.Free((void*)_memory);

    private static nint Filled(nuint bytes)
    {
        void* memory = NativeMemory.Alloc(bytes);
        NativeMemory.Fill(memory, bytes, 1); // pages are there only once written
        return (nint)memory;
    }

    private static double Seconds<T>(WorkerPool pool, T job, int items) where T : struct, IJob
    {
        long start = Stopwatch.GetTimestamp();
        pool.Run(job, items);
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private readonly struct ChainJob(int steps) : IJob
    {
        public void Run(int index, Worker worker) => Chained(steps);
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

    private static int Lanes =>
        Vector512.IsHardwareAccelerated ? Vector512<float>.Count : Vector256.IsHardwareAccelerated ? Vector256<float>.Count : Vector128<float>.Count;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Copy(float* from, float* to, nuint count)
    {
        for (nuint i = 0; i < count; i += (nuint)Vector512<float>.Count) Vector512.Load(from + i).Store(to + i);
    }

    private static void Chained(int steps)
    {
        if (Vector512.IsHardwareAccelerated) Chained512(steps);
        else if (Vector256.IsHardwareAccelerated) Chained256(steps);
        else Chained128(steps);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static Vector512<float> Chained512(int steps)
    {
        Vector512<float> x = Vector512.Create(0.5f), c0 = x, c1 = x, c2 = x, c3 = x, c4 = x, c5 = x, c6 = x, c7 = x, c8 = x, c9 = x, c10 = x, c11 = x;
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
        Vector256<float> x = Vector256.Create(0.5f), c0 = x, c1 = x, c2 = x, c3 = x, c4 = x, c5 = x, c6 = x, c7 = x, c8 = x, c9 = x, c10 = x, c11 = x;
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
        Vector128<float> x = Vector128.Create(0.5f), c0 = x, c1 = x, c2 = x, c3 = x, c4 = x, c5 = x, c6 = x, c7 = x, c8 = x, c9 = x, c10 = x, c11 = x;
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
