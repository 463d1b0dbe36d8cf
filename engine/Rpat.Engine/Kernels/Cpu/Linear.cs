namespace Rpat.Engine.Kernels.Cpu;

/// <summary>Fully connected layer: at most a few thousand columns, so plain dot products and sums of rows suffice.</summary>
internal unsafe partial class CpuKernels : ILinearKernels
{
    public void LinearForward(int n, int c, int k, DeviceBuffer x, DeviceBuffer w, DeviceBuffer? bias, DeviceBuffer y) =>
        _pool.Run(new LinearRow(c, k, x.Floats(), w.Floats(), bias.FloatsOrNull(), y.Floats()), n);

    public void LinearInputGradient(int n, int c, int k, DeviceBuffer dy, DeviceBuffer w, bool accumulate, DeviceBuffer dx) =>
        _pool.Run(new LinearInputRow(c, k, dy.Floats(), w.Floats(), accumulate, dx.Floats()), n);

    public void LinearWeightGradient(int n, int c, int k, DeviceBuffer x, DeviceBuffer dy, bool accumulate, DeviceBuffer? dw,
        DeviceBuffer? dbias) =>
        _pool.Run(new LinearWeightRow(n, c, k, x.Floats(), dy.Floats(), accumulate, dw.FloatsOrNull(), dbias.FloatsOrNull()), k);
}

/// <summary>Dot products and scaled sums of plain rows.</summary>
internal static unsafe class Row
{
    public static float Dot(float* a, float* b, int count)
    {
        Vec sum = Vec.Zero;
        int i = 0;
        for (; i + Blocks.Size <= count; i += Blocks.Size)
            sum = Vector512.MultiplyAddEstimate(Vector512.Load(a + i), Vector512.Load(b + i), sum);
        float total = Vector512.Sum(sum);
        for (; i < count; i++) total += a[i] * b[i];
        return total;
    }

    /// <summary>to += factor·from.</summary>
    public static void AddScaled(float factor, float* from, float* to, int count)
    {
        Vec f = Vector512.Create(factor);
        int i = 0;
        for (; i + Blocks.Size <= count; i += Blocks.Size)
            Vector512.MultiplyAddEstimate(f, Vector512.Load(from + i), Vector512.Load(to + i)).Store(to + i);
        for (; i < count; i++) to[i] += factor * from[i];
    }
}

internal readonly unsafe struct LinearRow(int c, int k, float* x, float* w, float* bias, float* y) : IJob
{
    public void Run(int index, Worker worker)
    {
        float* to = y + (long)index * k;
        for (int i = 0; i < k; i++) to[i] = (bias == null ? 0 : bias[i]) + Row.Dot(x + (long)index * c, w + (long)i * c, c);
    }
}

internal readonly unsafe struct LinearInputRow(int c, int k, float* dy, float* w, bool accumulate, float* dx) : IJob
{
    public void Run(int index, Worker worker)
    {
        float* to = dx + (long)index * c;
        if (!accumulate) new Span<float>(to, c).Clear();
        for (int i = 0; i < k; i++) Row.AddScaled(dy[(long)index * k + i], w + (long)i * c, to, c);
    }
}

internal readonly unsafe struct LinearWeightRow(int n, int c, int k, float* x, float* dy, bool accumulate, float* dw, float* dbias) : IJob
{
    public void Run(int index, Worker worker)
    {
        float* to = dw + (long)index * c;
        if (dw != null && !accumulate) new Span<float>(to, c).Clear();
        float sum = accumulate && dbias != null ? dbias[index] : 0;
        for (int i = 0; i < n; i++)
        {
            float g = dy[(long)i * k + index];
            if (dw != null) Row.AddScaled(g, x + (long)i * c, to, c);
            sum += g;
        }
        if (dbias != null) dbias[index] = sum;
    }
}
