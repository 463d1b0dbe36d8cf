namespace Rpat.Engine.Kernels.Cpu;

internal unsafe partial class CpuKernels : IResampleKernels
{
    public void Resample(in ResampleShape s, in Operand x, DeviceBuffer table, in Operand through, bool accumulate, DeviceBuffer y) =>
        _pool.Run(new ResamplePlane(s, new Affine(x), table.Floats(), new Affine(through), accumulate, y.Floats()),
        s.Input.N * new Places(s.Input, s.Layout).Planes);
}

/// <summary>Weighted sums of one plane.</summary>
internal readonly unsafe struct ResamplePlane(ResampleShape s, Affine x, float* table, Affine through, bool accumulate, float* y) : IJob
{
    public void Run(int index, Worker worker)
    {
        var place = new Places(s.Input, s.Layout);
        int block = index % place.Planes, lanes = place.Lanes;
        float* from = x.Data + (long)index * s.Input.Area * lanes;
        long at = (long)index * s.H * s.W * lanes;
        for (int i = 0; i < s.H; i++)
            for (int j = 0; j < s.W; j++, at += lanes)
            {
                Vec v = Sum(table + i * s.Line, table + (s.H + j) * s.Line, from, block, lanes) * through.ScaleOf(block);
                if (through.Relu) v &= Open(block, at);
                if (accumulate) v += Lanes.Load(y + at, lanes);
                Lanes.Store(v, y + at, lanes);
            }
    }

    private Vec Sum(float* row, float* column, float* from, int block, int lanes)
    {
        Vec scale = x.ScaleOf(block), shift = x.ShiftOf(block), floor = x.Floor, sum = Vec.Zero;
        for (int a = 0; a < (int)row[1]; a++)
            for (int b = 0; b < (int)column[1]; b++)
            {
                float* at = from + (((int)row[0] + a) * s.Input.W + (int)column[0] + b) * lanes;
                Vec v = Simd.AtLeast(Vector512.MultiplyAddEstimate(Lanes.Load(at, lanes), scale, shift), floor);
                sum = Vector512.MultiplyAddEstimate(Vector512.Create(row[2 + a] * column[2 + b]), v, sum);
            }
        return sum;
    }

    private Vec Open(int block, long at) => Vector512.GreaterThan(
        Vector512.MultiplyAddEstimate(Vector512.Load(through.Data + at), through.ScaleOf(block), through.ShiftOf(block)), Vec.Zero);
}
