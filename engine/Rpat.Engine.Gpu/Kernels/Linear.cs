using ILGPU;
using ILGPU.Runtime;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>
/// Fully connected layer: the last of a network and a thousandth of its work, so plain sums with coalesced loads suffice.
/// </summary>
internal abstract partial class GpuKernels : ILinearKernels
{
    public void LinearForward(int n, int c, int k, DeviceBuffer x, DeviceBuffer w, DeviceBuffer? bias, DeviceBuffer y)
    {
        int quads = c % 4 == 0 && x.IsAligned() && w.IsAligned() ? c / 4 : 0;
        ForEachWarp(n * k, new LinearDot(n, c, k, quads, x.Floats(), w.Floats(), bias.FloatsOrNone(), y.Floats()));
    }

    public void LinearInputGradient(int n, int c, int k, DeviceBuffer dy, DeviceBuffer w, bool accumulate, DeviceBuffer dx) =>
        ForEach((long)n * c, new LinearInput(n, c, k, dy.Floats(), w.Floats(), accumulate ? 1 : 0, dx.Floats()));

    public void LinearWeightGradient(int n, int c, int k, DeviceBuffer x, DeviceBuffer dy, bool accumulate, DeviceBuffer? dw,
        DeviceBuffer? dbias)
    {
        if (dw is not null)
            Launch(checked(k * Ceiling(c, LinearWeight.Columns)), LinearWeight.Columns * LinearWeight.Shares,
                new LinearWeight(n, c, k, x.Floats(), dy.Floats(), accumulate ? 1 : 0, dw.Floats()));
        if (dbias is not null) ForEachWarp(k, new LinearBias(n, k, dy.Floats(), accumulate ? 1 : 0, dbias.Floats()));
    }
}

/// <summary>y[i, j] = bias[j] + x[i]·w[j], one warp per number; rows are read in quads if these are aligned.</summary>
/// <param name="quads">Quads of a row; 0 if they are not aligned.</param>
internal readonly struct LinearDot(
    int n, int c, int k, int quads, ArrayView<float> x, ArrayView<float> w, ArrayView<float> bias, ArrayView<float> y) : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int item = Reduce.Item, lane = Group.IdxX % Reduce.WarpSize;
        int i = Pin.Here(item / k), j = item - i * k;
        if (item >= n * k) return;
        float sum = 0;
        for (int p = lane; p < quads; p += Reduce.WarpSize)
        {
            V4 product = x.Cast<V4>()[i * quads + p] * w.Cast<V4>()[j * quads + p];
            sum += product.X + product.Y + (product.Z + product.W);
        }
        for (int p = 4 * quads + lane; p < c; p += Reduce.WarpSize) sum += x[i * c + p] * w[j * c + p];
        double total = Reduce.WarpSum(sum);
        if (lane == 0) y[item] = (float)((bias.Length > 0 ? bias[j] : 0) + total);
    }
}

/// <summary>dx[i, p] (+)= Σ over j of dy[i, j]·w[j, p].</summary>
internal readonly struct LinearInput(int n, int c, int k, ArrayView<float> dy, ArrayView<float> w, int accumulate, ArrayView<float> dx)
    : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int at = Grid.IdxX * Group.DimX + Group.IdxX, i = at / c, p = at - i * c;
        if (i >= n) return;
        float sum = accumulate != 0 ? dx[at] : 0;
        for (int j = 0; j < k; j++) sum += dy[i * k + j] * w[j * c + p];
        dx[at] = sum;
    }
}

/// <summary>dw[j, p] (+)= Σ over i of dy[i, j]·x[i, p]: 32 columns per group, the samples divided among eight warps.</summary>
internal readonly struct LinearWeight(int n, int c, int k, ArrayView<float> x, ArrayView<float> dy, int accumulate, ArrayView<float> dw)
    : IKernel
{
    public const int Columns = 32, Shares = 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(Columns * Shares);
        int block = Pin.Here(Grid.IdxX / k), j = Grid.IdxX - block * k, share = Group.IdxX / Columns,
            p = block * Columns + (Group.IdxX & Columns - 1);
        float sum = 0;
        for (int i = share; i < n && p < c; i += Shares) sum += dy[i * k + j] * x[i * c + p];
        shared[Group.IdxX] = sum;
        Group.Barrier();
        if (share != 0 || p >= c) return;
        for (int s = 1; s < Shares; s++) sum += shared[s * Columns + Group.IdxX];
        dw[j * c + p] = accumulate != 0 ? dw[j * c + p] + sum : sum;
    }
}

/// <summary>dbias[j] (+)= Σ over i of dy[i, j], one warp per number.</summary>
internal readonly struct LinearBias(int n, int k, ArrayView<float> dy, int accumulate, ArrayView<float> dbias) : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int j = Reduce.Item, lane = Group.IdxX % Reduce.WarpSize;
        if (j >= k) return;
        double sum = 0;
        for (int i = lane; i < n; i += Reduce.WarpSize) sum += dy[i * k + j];
        sum = Reduce.WarpSum(sum);
        if (lane == 0) dbias[j] = accumulate != 0 ? dbias[j] + (float)sum : (float)sum;
    }
}
