using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Rpat.Benchmarks;

/// <summary>What the machine can do: fused multiply-adds on registers only, and copies between memories that no cache holds.</summary>
internal sealed unsafe class Machine : IDisposable
{
    private const int Chains = 12; // independent sums: more than two units times four cycles of latency
    private const int Steps = 2_000_000;
    private const nuint CopyBytes = 64 << 20; // a thread

    private readonly int _threads;
    private readonly nint[] _memory;

    public Machine(int threads)
    {
        _threads = threads;
        _memory = [.. Enumerable.Range(0, 2 * threads).Select(_ => Filled())];
    }

    /// <summary>FLOP/s of all threads together, a multiply-add counted as two.</summary>
    public double Flops() => 2.0 * Chains * Steps * Lanes * _threads / Seconds(_ => Chained(Steps));

    /// <summary>Bytes read and written a second when every thread copies.</summary>
    public double CopyBandwidth() =>
        2.0 * CopyBytes * _threads / Seconds(i => NativeMemory.Copy((void*)_memory[2 * i], (void*)_memory[2 * i + 1], CopyBytes));

    public void Dispose()
    {
        foreach (nint memory in _memory) NativeMemory.Free((void*)memory);
    }

    private static int Lanes =>
        Vector512.IsHardwareAccelerated ? Vector512<float>.Count : Vector256.IsHardwareAccelerated ? Vector256<float>.Count : Vector128<float>.Count;

    private static nint Filled()
    {
        void* memory = NativeMemory.Alloc(CopyBytes);
        NativeMemory.Fill(memory, CopyBytes, 1); // pages are there only once written
        return (nint)memory;
    }

    /// <summary>From the moment that all threads are ready to the last one's end.</summary>
    private double Seconds(Action<int> work)
    {
        using var ready = new Barrier(_threads);
        var ends = new long[_threads];
        var starts = new long[_threads];
        var threads = Enumerable.Range(0, _threads).Select(i => new Thread(() =>
        {
            ready.SignalAndWait();
            starts[i] = Stopwatch.GetTimestamp();
            work(i);
            ends[i] = Stopwatch.GetTimestamp();
        })).ToArray();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        return Stopwatch.GetElapsedTime(starts.Min(), ends.Max()).TotalSeconds;
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
