using ILGPU;
using ILGPU.Runtime;
using Rpat.Ilgpu.Emulator;

namespace Rpat.Tests.Gpu.Emulator;

/// <summary>Groups, barriers, exchanges and shared memory of the emulator, in any order of threads.</summary>
public sealed class GroupTests : IDisposable
{
    private const int Threads = 96;
    private readonly EmulatedGpu _gpu = new();

    public static TheoryData<int?> Orders => [null, 1, 2, 3];

    public void Dispose()
    {
        Emulation.Seed = null;
        _gpu.Dispose();
    }

    [Theory]
    [MemberData(nameof(Orders))]
    public void ABarrierLetsThreadsSeeWhatOthersWrote(int? seed)
    {
        Emulation.Seed = seed;
        var input = _gpu.Upload(Numbers(4 * Threads));
        var output = _gpu.Allocate<float>(4 * Threads);
        var kernel = _gpu.Accelerator.LoadKernel<ArrayView<float>, ArrayView<float>>(Reverse);
        kernel(_gpu.Stream, new KernelConfig(4, Threads), input, output);
        float[] expected = [.. Numbers(4 * Threads).Chunk(Threads).SelectMany(chunk => chunk.Reverse())];
        Assert.Equal(expected, output.GetAsArray(_gpu.Stream));
    }

    [Theory]
    [MemberData(nameof(Orders))]
    public void CallsThatSleepKeepLocalsArgumentsAndTheStack(int? seed)
    {
        Emulation.Seed = seed;
        var input = _gpu.Upload(Numbers(5 * 100));
        var output = _gpu.Allocate<float>(5);
        var kernel = _gpu.Accelerator.LoadKernel<ArrayView<float>, ArrayView<float>, int>(SumTwice);
        kernel(_gpu.Stream, new KernelConfig(5, Threads), input, output, 100);
        float[] expected = [.. Numbers(5 * 100).Chunk(100).Select(chunk => 1 + chunk.Sum() * Threads)];
        Assert.Equal(expected, output.GetAsArray(_gpu.Stream));
    }

    [Fact]
    public void AKernelMayBeAStructThatAGenericEntryRuns()
    {
        var output = _gpu.Allocate<int>(64);
        var kernel = _gpu.Accelerator.LoadKernel<Rotate>(Enter);
        kernel(_gpu.Stream, new KernelConfig(1, 64), new Rotate(output, 5));
        Assert.Equal(Enumerable.Range(0, 64).Select(i => i / 32 * 32 + (i + 5) % 32), output.GetAsArray(_gpu.Stream));
    }

    [Fact]
    public void ExchangesFollowPtx()
    {
        var output = _gpu.Allocate<int>(32 * 6);
        _gpu.Accelerator.LoadKernel<ArrayView<int>>(Exchanges)(_gpu.Stream, new KernelConfig(1, 32), output);
        int[] all = output.GetAsArray(_gpu.Stream);
        for (int lane = 0; lane < 32; lane++)
        {
            int[] expected = [lane + 3 < 32 ? lane + 3 : lane, lane >= 3 ? lane - 3 : lane, lane ^ 5, 7, lane % 8 + 2 < 8 ? lane + 2 : lane, lane / 8 * 8 + 1];
            Assert.Equal(expected, all.AsSpan(lane * 6, 6).ToArray());
        }
    }

    [Fact]
    public void BarriersCountAndDecide()
    {
        var output = _gpu.Allocate<int>(3);
        _gpu.Accelerator.LoadKernel<ArrayView<int>>(Votes)(_gpu.Stream, new KernelConfig(1, 40), output);
        Assert.Equal([30, 0, 1], output.GetAsArray(_gpu.Stream));
    }

    [Fact]
    public void AtomicsMeetAndTheGridHasThreeAxes()
    {
        var output = _gpu.Upload(new int[2]);
        _gpu.Accelerator.LoadKernel<ArrayView<int>>(Count)(_gpu.Stream, new KernelConfig(new Index3D(3, 2, 4), new Index3D(8, 2, 2)), output);
        Assert.Equal([24 * 32, 24 * 23 / 2 * 32], output.GetAsArray(_gpu.Stream));
    }

    [Fact]
    public void DynamicMemoryIsSharedByTheGroup()
    {
        var output = _gpu.Allocate<float>(64);
        var kernel = _gpu.Accelerator.LoadKernel<ArrayView<float>>(Dynamic);
        kernel(_gpu.Stream, new KernelConfig(1, 64, SharedMemoryConfig.RequestDynamic<float>(64)), output);
        Assert.Equal(Enumerable.Range(0, 64).Select(i => 63f - i), output.GetAsArray(_gpu.Stream));
    }

    private static float[] Numbers(int n) => [.. Enumerable.Range(0, n).Select(i => (float)(i % 13))];

    private static void Reverse(ArrayView<float> input, ArrayView<float> output)
    {
        var shared = SharedMemory.Allocate<float>(Threads);
        int at = Group.IdxX, first = Grid.IdxX * Group.DimX;
        shared[at] = input[first + at];
        Group.Barrier();
        output[first + at] = shared[Threads - 1 - at];
    }

    private static void SumTwice(ArrayView<float> input, ArrayView<float> output, int n)
    {
        float sum = 0;
        for (int i = Group.IdxX; i < n; i += Group.DimX) sum += input[Grid.IdxX * (long)n + i];
        var shared = SharedMemory.Allocate<float>(Threads / 32);
        float result = 1 + GroupSum(sum, shared) * (n > 0 ? GroupSum(1, shared) : -1);
        if (Group.IsFirstThread) output[Grid.IdxX] = result;
    }

    private static float GroupSum(float value, ArrayView<float> shared)
    {
        for (int mask = 16; mask > 0; mask >>= 1) value += Warp.ShuffleXor(value, mask);
        if (Warp.IsFirstLane) shared[Warp.WarpIdx] = value;
        Group.Barrier();
        float sum = 0;
        for (int i = 0; i < shared.IntLength; i++) sum += shared[i];
        Group.Barrier();
        return sum;
    }

    private interface IRun
    {
        void Run();
    }

    private readonly struct Rotate(ArrayView<int> output, int by) : IRun
    {
        public void Run()
        {
            int mine = Group.IdxX;
            output[Group.IdxX] = Warp.Shuffle(mine, (Warp.LaneIdx + by) % Warp.WarpSize);
        }
    }

    private static void Enter<T>(T kernel)
        where T : struct, IRun => kernel.Run();

    private static void Exchanges(ArrayView<int> output)
    {
        int lane = Warp.LaneIdx, at = lane * 6;
        output[at] = Warp.ShuffleDown(lane, 3);
        output[at + 1] = Warp.ShuffleUp(lane, 3);
        output[at + 2] = Warp.ShuffleXor(lane, 5);
        output[at + 3] = Warp.Broadcast(lane, 7);
        output[at + 4] = Warp.ShuffleDown(lane, 2, 8);
        output[at + 5] = Warp.Shuffle(lane, 1, 8);
    }

    private static void Votes(ArrayView<int> output)
    {
        int count = Group.BarrierPopCount(Group.IdxX >= 10);
        bool all = Group.BarrierAnd(Group.IdxX >= 10), any = Group.BarrierOr(Group.IdxX == 39);
        if (!Group.IsFirstThread) return;
        output[0] = count;
        output[1] = all ? 1 : 0;
        output[2] = any ? 1 : 0;
    }

    private static void Count(ArrayView<int> output)
    {
        Atomic.Add(ref output[0], 1);
        Atomic.Add(ref output[1], Grid.LinearIndex);
    }

    private static void Dynamic(ArrayView<float> output)
    {
        var shared = SharedMemory.GetDynamic<float>();
        shared[Group.IdxX] = Group.IdxX;
        Group.Barrier();
        output[Group.IdxX] = shared[Group.DimX - 1 - Group.IdxX];
    }
}
