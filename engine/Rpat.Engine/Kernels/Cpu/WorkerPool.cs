using System.Runtime.ExceptionServices;

namespace Rpat.Engine.Kernels.Cpu;

/// <summary>A kernel's work, divided into items that may run in any order and on any thread with the same result.</summary>
internal interface IJob
{
    /// <summary>Does item <paramref name="index"/>.</summary>
    void Run(int index, Worker worker);
}

/// <summary>One thread of the pool, with its own memory, which grows to the largest need and is kept.</summary>
internal sealed unsafe class Worker
{
    private readonly CpuBuffer?[] _scratch = new CpuBuffer?[8];

    /// <summary>At least that many floats, contents undefined; each slot is a separate buffer.</summary>
    public float* Scratch(int slot, long floats)
    {
        var buffer = _scratch[slot];
        if (buffer is null || buffer.Length < floats)
        {
            buffer?.Free();
            _scratch[slot] = null; // remains null if the allocation fails
            _scratch[slot] = buffer = CpuBuffer.Allocate(floats);
        }
        return buffer.Pointer;
    }

    public void Free()
    {
        foreach (var buffer in _scratch) buffer?.Free();
        Array.Clear(_scratch);
    }
}

/// <summary>
/// Persistent threads for layers that last 100 µs: they spin for a moment between jobs and only then sleep. The caller is one
/// of the workers. Running a job allocates nothing.
/// </summary>
internal sealed unsafe class WorkerPool : IDisposable
{
    private const int SpinsBeforeSleep = 20_000;
    private const int SharesPerThread = 32; // items are taken in chunks: taking one by one costs more than some items do
    private const int SpinsBeforeYield = 1_000; // other programs may occupy the core that a worker needs

    private readonly Worker[] _workers;
    private readonly Thread[] _threads;
    private readonly SemaphoreSlim[] _wake;
    private readonly int[] _asleep;
    private delegate*<void*, int, Worker, void> _invoke;
    private void* _job;
    private int _count;
    private int _share;
    private int _running;
    private int _generation;
    private volatile bool _stop;
    private Exception? _failure;
    private Counter _next; // on its own cache line: all threads write it

    public WorkerPool(int threads)
    {
        Threads = threads;
        _workers = [.. Enumerable.Range(0, threads).Select(_ => new Worker())];
        _wake = [.. Enumerable.Range(0, threads).Select(_ => new SemaphoreSlim(0))];
        _asleep = new int[threads];
        _threads = [.. Enumerable.Range(1, threads - 1).Select(Start)];
    }

    /// <summary>Threads, the caller's included.</summary>
    public int Threads { get; }

    /// <summary>The caller's worker, for sequential parts.</summary>
    public Worker Caller => _workers[0];

    /// <summary>Consecutive items that a thread takes at a time.</summary>
    public int ChunkOf(int count) => Math.Max(1, count / (Threads * SharesPerThread));

    /// <summary>See <see cref="CpuDevice.OnJob"/>.</summary>
    public Action<double[], int>? OnJob { get; set; }

    /// <summary>Runs items 0…count−1 of a job on all threads and returns when all are done.</summary>
    /// <exception cref="ObjectDisposedException">The pool was disposed, perhaps by another thread, which waits for the running job.</exception>
    public void Run<T>(T job, int count) where T : struct, IJob
    {
        lock (_wake) RunAlone(job, count);
    }

    public void Dispose()
    {
        lock (_wake) _stop = true;
        Interlocked.Increment(ref _generation);
        WakeSleepers();
        foreach (var thread in _threads) thread.Join();
        foreach (var worker in _workers) worker.Free();
        foreach (var semaphore in _wake) semaphore.Dispose();
    }

    private void RunAlone<T>(T job, int count) where T : struct, IJob
    {
        if (_stop) throw Device.Gone("cpu");
        if (OnJob is not null)
        {
            OnJob(TimeItems(job, count), ChunkOf(count));
            return;
        }
        if (Threads == 1 || count <= 1)
        {
            for (int i = 0; i < count; i++) job.Run(i, _workers[0]);
            return;
        }
        _invoke = &Invoke<T>;
        _job = Unsafe.AsPointer(ref job); // on this stack frame until all workers are done
        (_count, _share, _running) = (count, ChunkOf(count), Threads);
        _next.Value = 0;
        Interlocked.Increment(ref _generation);
        WakeSleepers();
        Work(_workers[0]);
        for (int spin = 0; Volatile.Read(ref _running) > 0; spin++) Pause(spin);
        if (_failure is not null) Rethrow();
    }

    private double[] TimeItems<T>(T job, int count) where T : struct, IJob
    {
        var seconds = new double[count];
        for (int i = 0; i < count; i++)
        {
            long since = Stopwatch.GetTimestamp();
            job.Run(i, _workers[0]);
            seconds[i] = Stopwatch.GetElapsedTime(since).TotalSeconds;
        }
        return seconds;
    }

    private static void Invoke<T>(void* job, int index, Worker worker) where T : struct, IJob => Unsafe.AsRef<T>(job).Run(index, worker);

    private Thread Start(int id)
    {
        var thread = new Thread(() => Loop(id)) { IsBackground = true, Name = $"rpat worker {id}" };
        thread.Start();
        return thread;
    }

    private void Loop(int id)
    {
        int seen = 0;
        while (true)
        {
            seen = WaitForJob(id, seen);
            if (_stop) return;
            Work(_workers[id]);
        }
    }

    private int WaitForJob(int id, int seen)
    {
        for (int spin = 0; spin < SpinsBeforeSleep; spin++)
        {
            if (Volatile.Read(ref _generation) != seen) return _generation;
            Pause(spin);
        }
        while (true)
        {
            Interlocked.Exchange(ref _asleep[id], 1);
            if (Volatile.Read(ref _generation) != seen) break; // published between the last check and going to sleep
            _wake[id].Wait();
            if (Volatile.Read(ref _generation) != seen) return _generation;
        }
        if (Interlocked.Exchange(ref _asleep[id], 0) == 0) _wake[id].Wait(); // the caller has already woken this thread: consume its token
        return _generation;
    }

    private static void Pause(int spin)
    {
        if (spin < SpinsBeforeYield) Thread.SpinWait(1);
        else Thread.Yield();
    }

    private void WakeSleepers()
    {
        for (int i = 1; i < Threads; i++)
            if (Interlocked.Exchange(ref _asleep[i], 0) == 1) _wake[i].Release();
    }

    private void Work(Worker worker)
    {
        try
        {
            WorkShares(worker);
        }
        catch (Exception e)
        {
            Interlocked.CompareExchange(ref _failure, e, null);
        }
        Interlocked.Decrement(ref _running);
    }

    private void WorkShares(Worker worker)
    {
        var invoke = _invoke;
        void* job = _job;
        var (count, share) = (_count, _share);
        for (int first = Take(share); first < count; first = Take(share))
            for (int i = first; i < Math.Min(first + share, count); i++) invoke(job, i, worker);
    }

    private int Take(int share) => Interlocked.Add(ref _next.Value, share) - share;

    private void Rethrow()
    {
        var failure = _failure!;
        _failure = null;
        ExceptionDispatchInfo.Throw(failure);
    }

    [StructLayout(LayoutKind.Explicit, Size = 128)]
    private struct Counter
    {
        [FieldOffset(64)]
        public int Value;
    }
}
