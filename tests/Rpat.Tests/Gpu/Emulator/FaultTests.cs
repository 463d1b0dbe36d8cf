using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime;

namespace Rpat.Tests.Gpu.Emulator;

/// <summary>What a GPU would not forgive must fail, and say where.</summary>
public sealed class FaultTests : IDisposable
{
    private const int Threads = 64;
    private readonly EmulatedGpu _gpu = new();

    public void Dispose() => _gpu.Dispose();

    [Fact]
    public void AMissingBarrierBeforeAReadFails() => Fails(MissingBarrier, "reads shared memory that no thread has written", nameof(MissingBarrier));

    [Fact]
    public void AMissingBarrierAfterAReadFails() => Fails(MissingSecondBarrier, "shared memory that thread", "since the last barrier");

    [Fact]
    public void TwoThreadsThatWriteOneWordFail() => Fails(WriteTwice, "writes shared memory that thread 0 wrote since the last barrier, byte 0");

    [Fact]
    public void AnExchangeIsNoBarrier() => Fails(ExchangeForBarrier, "reads shared memory that thread");

    [Fact]
    public void AWarpBarrierOrdersItsWarpOnly()
    {
        Runs(WarpBarrier);
        Fails(WarpBarrierForGroup, "reads shared memory that");
    }

    [Fact]
    public void APlainAccessBesideAnAtomicOneFails() => Fails(AtomicAndPlain, "changed atomically");

    [Fact]
    public void ABarrierThatSomeSkipFails() => Fails(Divergent, "waits in Group.Barrier, a divergent one", "thread (3, 0, 0) has ended");

    [Fact]
    public void TwoBarriersAreNotOne() => Fails(TwoBarriers, "waits in another call of it");

    [Fact]
    public void AnExchangeThatSomeSkipFails() => Fails(DivergentExchange, "waits in Warp.ShuffleXor");

    [Fact]
    public void AReadBehindTheEndFails() => Fails(BehindEnd, "thread (63, 0, 0), accesses element 64 of a view of 64", nameof(BehindEnd));

    [Fact]
    public void AReadBeforeTheBeginFails() => Fails(BeforeBegin, "accesses element -1");

    [Fact]
    public void AMisalignedVectorFails() => Fails(Misaligned, "accesses misaligned memory");

    [Fact]
    public void SharedMemoryIsLimited() => Fails(TooMuchShared, "bytes of shared memory, more than 49152");

    [Fact]
    public void AGroupIsLimited()
    {
        var view = _gpu.Allocate<float>(4);
        var kernel = _gpu.Accelerator.LoadKernel<ArrayView<float>>(Divergent);
        Assert.Contains("a group has 1 to 1024", EmulatedGpu.Fails(() => kernel(_gpu.Stream, new KernelConfig(1, 1025), view)));
        Assert.Contains("at least 1 along each axis", EmulatedGpu.Fails(() => kernel(_gpu.Stream, new KernelConfig(0, 32), view)));
    }

    [Fact]
    public void FreshMemoryIsPoisoned() => Assert.All(_gpu.Allocate<float>(9).GetAsArray(_gpu.Stream), value => Assert.True(float.IsNaN(value)));

    private void Fails(Action<ArrayView<float>> kernel, params string[] words)
    {
        string message = EmulatedGpu.Fails(() => Runs(kernel));
        Assert.All(words, word => Assert.Contains(word, message));
    }

    private void Runs(Action<ArrayView<float>> kernel) =>
        _gpu.Accelerator.LoadKernel(kernel)(_gpu.Stream, new KernelConfig(2, Threads), _gpu.Upload(new float[Threads]));

    private static void MissingBarrier(ArrayView<float> data)
    {
        var shared = SharedMemory.Allocate<float>(Threads);
        shared[Group.IdxX] = data[Group.IdxX];
        data[Group.IdxX] = shared[Threads - 1 - Group.IdxX];
    }

    private static void MissingSecondBarrier(ArrayView<float> data)
    {
        var shared = SharedMemory.Allocate<float>(Threads);
        for (int step = 0; step < 2; step++)
        {
            shared[Group.IdxX] = Group.IdxX + step + 1;
            Group.Barrier();
            if (Grid.IdxX == 0) data[Group.IdxX] = shared[Threads - 1 - Group.IdxX];
        }
    }

    private static void WriteTwice(ArrayView<float> data)
    {
        var shared = SharedMemory.Allocate<float>(Threads);
        shared[Group.IdxX / 2] = Group.IdxX;
    }

    private static void ExchangeForBarrier(ArrayView<float> data)
    {
        var shared = SharedMemory.Allocate<float>(Threads);
        shared[Group.IdxX] = Group.IdxX;
        int neighbour = Warp.ShuffleXor(Group.IdxX, 1);
        data[Group.IdxX] = shared[neighbour];
    }

    private static void WarpBarrier(ArrayView<float> data)
    {
        var shared = SharedMemory.Allocate<float>(Threads);
        shared[Group.IdxX] = Group.IdxX;
        Warp.Barrier();
        if (Grid.IdxX == 0) data[Group.IdxX] = shared[Group.IdxX ^ 1];
    }

    private static void WarpBarrierForGroup(ArrayView<float> data)
    {
        var shared = SharedMemory.Allocate<float>(Threads);
        shared[Group.IdxX] = Group.IdxX;
        Warp.Barrier();
        data[Group.IdxX] = shared[Threads - 1 - Group.IdxX];
    }

    private static void AtomicAndPlain(ArrayView<float> data)
    {
        var shared = SharedMemory.Allocate<int>(1);
        if (Group.IdxX == 0) shared[0] = 0;
        Group.Barrier();
        Atomic.Add(ref shared[0], 1);
        data[Group.IdxX] = shared[0];
    }

    private static void Divergent(ArrayView<float> data)
    {
        if (Group.IdxX < 3) Group.Barrier();
    }

    private static void TwoBarriers(ArrayView<float> data)
    {
        if (Group.IdxX < 3) Group.Barrier();
        else Group.Barrier();
    }

    private static void DivergentExchange(ArrayView<float> data)
    {
        if (Group.IdxX % 2 == 0) data[Group.IdxX] = Warp.ShuffleXor(1f, 2);
    }

    private static void BehindEnd(ArrayView<float> data) => data[Group.IdxX] = data[Group.IdxX + 1];

    private static void BeforeBegin(ArrayView<float> data) => data[Group.IdxX - 1] = 1;

    private static void Misaligned(ArrayView<float> data) => data.SubView(1, 8).Cast<Four>()[0] = default;

    private static void TooMuchShared(ArrayView<float> data)
    {
        SharedMemory.Allocate<float>(12 * 1024)[Group.IdxX] = 0;
        SharedMemory.Allocate<float>(1)[0] = 0;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Four
    {
        public float X, Y, Z, W;
    }
}
