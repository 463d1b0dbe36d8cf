using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace Rpat.Tests.Gpu.Emulator;

/// <summary>Inline assembly that moves memory: asynchronous copies, matrix loads, vector stores.</summary>
public sealed class PtxMemoryTests : IDisposable
{
    private const string Copy = "{ .reg .b32 to; mov.u32 to, __dyn_shared_alloca; add.u32 to, to, %0; cp.async.cg.shared.global [to], [%1], 16, %2; }";
    private const string Load = "{ .reg .b32 from; mov.u32 from, __dyn_shared_alloca; add.u32 from, from, %0; ";
    private readonly EmulatedGpu _gpu = new();

    public void Dispose() => _gpu.Dispose();

    [Fact]
    public void ACopyArrivesWhenItIsWaitedFor()
    {
        float[] values = [.. Enumerable.Range(1, 128).Select(i => (float)i)];
        Assert.Equal(values.Chunk(4).Reverse().SelectMany(c => c), RunCopy(CopyAndWait, values));
    }

    [Fact]
    public void ACopyFillsUpWithZeros() => Assert.Equal([1, 2, 0, 0], RunCopy(CopyHalf, [.. Enumerable.Range(1, 128).Select(i => (float)i)])[^4..]);

    [Fact]
    public void ReadingBeforeTheWaitFails() =>
        Assert.Contains("a copy is under way that nobody has waited for", EmulatedGpu.Fails(() => RunCopy(CopyAndRead, new float[128])));

    [Fact]
    public void ABarrierIsNoWait() =>
        Assert.Contains("a copy is under way that nobody has waited for", EmulatedGpu.Fails(() => RunCopy(CopyAndMeet, new float[128])));

    [Fact]
    public void AWaitIsNoBarrier() => Assert.Contains("since the last barrier", EmulatedGpu.Fails(() => RunCopy(CopyWithoutBarrier, new float[128])));

    [Fact]
    public void CopyingOverWhatOthersReadFails() =>
        Assert.Contains("since the last barrier", EmulatedGpu.Fails(() => RunCopy(CopyOverReaders, new float[128])));

    [Fact]
    public void ACopyFromNowhereFails() => Assert.Contains("outside every allocation", EmulatedGpu.Fails(() => RunCopy(CopyFromNowhere, new float[128])));

    [Fact]
    public void AStoreBehindSharedMemoryFails() =>
        Assert.Contains("bytes of shared memory in assembly", EmulatedGpu.Fails(() => RunCopy(StoreBehind, new float[128])));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void MatricesAreSpreadAsTheFiguresShow(bool transposed)
    {
        ushort[] values = [.. Enumerable.Range(0, 256).Select(i => (ushort)(i * 7))];
        var results = _gpu.Allocate<uint>(128);
        var kernel = _gpu.Accelerator.LoadKernel<ArrayView<ushort>, ArrayView<uint>, int>(LoadMatrices);
        kernel(_gpu.Stream, new KernelConfig(1, 32, SharedMemoryConfig.RequestDynamic<ushort>(256)), _gpu.Upload(values), results, transposed ? 1 : 0);
        uint[] words = results.GetAsArray(_gpu.Stream);
        for (int lane = 0; lane < 32; lane++)
        {
            for (int matrix = 0; matrix < 4; matrix++)
            {
                // In the figure, thread 4r + p holds the p-th pair of row r; transposed, of column r.
                int low = matrix * 64 + (transposed ? lane % 4 * 2 * 8 + lane / 4 : lane / 4 * 8 + lane % 4 * 2), high = low + (transposed ? 8 : 1);
                Assert.Equal((uint)values[high] << 16 | values[low], words[lane * 4 + matrix]);
            }
        }
    }

    private float[] RunCopy(Action<ArrayView<float>, ulong, ArrayView<float>> kernel, float[] values)
    {
        var (source, target) = (_gpu.Upload(values), _gpu.Allocate<float>(128));
        var config = new KernelConfig(1, 32, SharedMemoryConfig.RequestDynamic<float>(128));
        _gpu.Accelerator.LoadKernel(kernel)(_gpu.Stream, config, source, (ulong)source.LoadEffectiveAddressAsPtr(), target);
        return target.GetAsArray(_gpu.Stream);
    }

    private static void CopyAndWait(ArrayView<float> source, ulong address, ArrayView<float> target)
    {
        CudaAsm.Emit(Copy, 16 * Group.IdxX, address + 16 * (ulong)Group.IdxX, 16);
        CudaAsm.Emit("cp.async.commit_group; cp.async.wait_group 0;");
        Group.Barrier();
        Take(target);
    }

    private static void CopyHalf(ArrayView<float> source, ulong address, ArrayView<float> target)
    {
        CudaAsm.Emit(Copy, 16 * Group.IdxX, address + 16 * (ulong)Group.IdxX, 8);
        CudaAsm.Emit("cp.async.wait_all;");
        Group.Barrier();
        Take(target);
    }

    private static void CopyAndRead(ArrayView<float> source, ulong address, ArrayView<float> target)
    {
        var shared = SharedMemory.GetDynamic<float>();
        CudaAsm.Emit(Copy, 16 * Group.IdxX, address, 16);
        CudaAsm.Emit("cp.async.commit_group;");
        for (int i = 0; i < 4; i++) target[4 * Group.IdxX + i] = shared[4 * Group.IdxX + i];
    }

    private static void CopyAndMeet(ArrayView<float> source, ulong address, ArrayView<float> target)
    {
        CudaAsm.Emit(Copy, 16 * Group.IdxX, address, 16);
        CudaAsm.Emit("cp.async.commit_group;");
        Group.Barrier();
        Take(target);
    }

    private static void CopyWithoutBarrier(ArrayView<float> source, ulong address, ArrayView<float> target)
    {
        CudaAsm.Emit(Copy, 16 * Group.IdxX, address, 16);
        CudaAsm.Emit("cp.async.wait_all;");
        if (Group.IdxX == 31) Take(target);
    }

    private static void CopyOverReaders(ArrayView<float> source, ulong address, ArrayView<float> target)
    {
        CudaAsm.Emit(Copy, 16 * Group.IdxX, address, 16);
        CudaAsm.Emit("cp.async.wait_all;");
        Group.Barrier();
        Take(target);
        CudaAsm.Emit(Copy, 16 * Group.IdxX, address, 16);
        CudaAsm.Emit("cp.async.wait_all;");
    }

    private static void CopyFromNowhere(ArrayView<float> source, ulong address, ArrayView<float> target) => CudaAsm.Emit(Copy, 0, address + 512, 16);

    private static void StoreBehind(ArrayView<float> source, ulong address, ArrayView<float> target) =>
        CudaAsm.Emit(Load + "st.shared.f32 [from+512], %1; }", 0, 1f);

    private static void Take(ArrayView<float> target)
    {
        var shared = SharedMemory.GetDynamic<float>();
        for (int i = 0; i < 4; i++) target[4 * Group.IdxX + i] = shared[4 * (31 - Group.IdxX) + i];
    }

    private static void LoadMatrices(ArrayView<ushort> values, ArrayView<uint> results, int transposed)
    {
        var shared = SharedMemory.GetDynamic<ushort>();
        for (int i = 0; i < 8; i++) shared[8 * Group.IdxX + i] = values[8 * Group.IdxX + i];
        Group.Barrier();
        CudaAsm.Emit(".reg .b32 m<4>;");
        if (transposed == 0) CudaAsm.Emit(Load + "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {m0,m1,m2,m3}, [from]; }", 16 * Group.IdxX);
        else CudaAsm.Emit(Load + "ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {m0,m1,m2,m3}, [from]; }", 16 * Group.IdxX);
        CudaAsm.Emit("mov.b32 %0, m0;", out uint m0);
        CudaAsm.Emit("mov.b32 %0, m1;", out uint m1);
        CudaAsm.Emit("mov.b32 %0, m2;", out uint m2);
        CudaAsm.Emit("mov.b32 %0, m3;", out uint m3);
        results[4 * Group.IdxX] = m0;
        results[4 * Group.IdxX + 1] = m1;
        results[4 * Group.IdxX + 2] = m2;
        results[4 * Group.IdxX + 3] = m3;
    }
}
