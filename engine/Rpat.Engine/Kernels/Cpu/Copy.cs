namespace Rpat.Engine.Kernels.Cpu;

internal unsafe partial class CpuKernels : ICopyKernels
{
    public void Copy(in CopyShape s, DeviceBuffer x, bool accumulate, DeviceBuffer y) =>
        _pool.Run(new CopyPlane(s, x.Floats(), accumulate, y.Floats()), s.To.N * new Places(s.To, s.ToLayout).Planes);
}

/// <summary>One plane of the copy; channels after the last are zero.</summary>
internal readonly unsafe struct CopyPlane(CopyShape s, float* x, bool accumulate, float* y) : IJob
{
    private readonly Places _from = new(s.From, s.FromLayout), _to = new(s.To, s.ToLayout);

    public void Run(int index, Worker worker)
    {
        int n = index / _to.Planes, first = index % _to.Planes * _to.Lanes, end = s.End.C == s.To.C ? int.MaxValue : s.End.C;
        if (n < s.Begin.N || n >= s.End.N) return;
        for (int c = Math.Max(first, s.Begin.C); c < Math.Min(first + _to.Lanes, end); c++)
            for (int h = s.Begin.H; h < s.End.H; h++)
                if (c >= s.To.C || s.Order == Axes.Identity) Row(n, c, h);
                else Permuted(n, c, h);
    }

    private void Row(int n, int c, int h)
    {
        var (fn, fc, fh) = (n + s.Offset.N, c + s.Offset.C, h + s.Offset.H);
        bool inside = c < s.To.C && (uint)fn < (uint)s.From.N && (uint)fc < (uint)s.From.C && (uint)fh < (uint)s.From.H;
        long from = inside ? _from.At(fn, fc, fh, 0) : 0, to = _to.At(n, c, h, 0);
        for (int w = s.Begin.W; w < s.End.W; w++)
        {
            int fw = w + s.Offset.W;
            Put(to + (long)w * _to.Lanes, inside && (uint)fw < (uint)s.From.W ? x[from + (long)fw * _from.Lanes] : 0);
        }
    }

    private void Permuted(int n, int c, int h)
    {
        for (int w = s.Begin.W; w < s.End.W; w++)
        {
            var to = new Axes(n, c, h, w);
            int fn = to[s.Order.N] + s.Offset.N, fc = to[s.Order.C] + s.Offset.C, fh = to[s.Order.H] + s.Offset.H,
                fw = to[s.Order.W] + s.Offset.W;
            bool inside = (uint)fn < (uint)s.From.N && (uint)fc < (uint)s.From.C && (uint)fh < (uint)s.From.H && (uint)fw < (uint)s.From.W;
            Put(_to.At(n, c, h, w), inside ? x[_from.At(fn, fc, fh, fw)] : 0);
        }
    }

    private void Put(long at, float v) => y[at] = v + (accumulate ? y[at] : 0);
}
