namespace Rpat.Engine.Devices;

/// <summary>A row in native memory that belongs to one thread.</summary>
internal readonly unsafe struct CpuRow(float* values, float* gradient, int count, bool add) : IRow
{
    public int Count => count;

    public int First => 0;

    public int Step => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double At(int column) => values[column];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Put(int column, double value)
    {
        if (gradient != null) gradient[column] = (float)value + (add ? gradient[column] : 0);
    }

    public double Sum(double ofThread) => ofThread;

    public double Max(double ofThread) => ofThread;

    public double Exp(double x) => Math.Exp(x);

    public double Log(double x) => Math.Log(x);

    public double Sqrt(double x) => Math.Sqrt(x);
}
