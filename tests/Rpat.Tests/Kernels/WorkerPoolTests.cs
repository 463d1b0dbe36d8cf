using Rpat.Engine.Kernels.Cpu;

namespace Rpat.Tests.Kernels;

/// <summary>Items are taken in shares, so counts below, at and far above a share matter.</summary>
public class WorkerPoolTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public unsafe void EveryItemRunsOnce(int threads)
    {
        using WorkerPool pool = new(threads);
        foreach (int count in new[] { 0, 1, 2, 63, 64, 65, 1000, 12_345 })
        {
            int[] runs = new int[count];
            fixed (int* p = runs) pool.Run(new Count(p), count);
            Assert.All(runs, n => Assert.Equal(1, n));
        }
    }

    [Fact]
    public unsafe void AFailingItemReachesTheCallerAndThePoolGoesOn()
    {
        using WorkerPool pool = new(2);
        Assert.Throws<InvalidDataException>(() => pool.Run(new Fail(), 100));
        int[] runs = new int[100];
        fixed (int* p = runs) pool.Run(new Count(p), 100);
        Assert.All(runs, n => Assert.Equal(1, n));
    }

    [Fact]
    public async Task DisposingWaitsForTheRunningJobAndRefusesTheNext()
    {
        foreach (int threads in new[] { 1, 3 })
        {
            WorkerPool pool = new(threads);
            using var running = new ManualResetEventSlim();
            var job = Task.Run(() => pool.Run(new Sleep(running), 100));
            running.Wait();
            pool.Dispose();
            await job.WaitAsync(TimeSpan.FromMinutes(1));
            Assert.Throws<ObjectDisposedException>(() => pool.Run(new Sleep(running), 100));
        }
    }

    private readonly struct Sleep(ManualResetEventSlim running) : IJob
    {
        public void Run(int index, Worker worker)
        {
            running.Set();
            Thread.Sleep(index % 50 == 0 ? 5 : 0);
        }
    }

    private readonly unsafe struct Count(int* runs) : IJob
    {
        public void Run(int index, Worker worker) => Interlocked.Increment(ref runs[index]);
    }

    private readonly struct Fail : IJob
    {
        public void Run(int index, Worker worker)
        {
            if (index == 17) throw new InvalidDataException();
        }
    }
}
