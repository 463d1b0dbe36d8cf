namespace Rpat.Engine.Gpu.Primitives;

/// <summary>A row of a thread's tile: eight columns in two quads.</summary>
internal readonly struct TileRow
{
    public readonly V4 Low, High;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TileRow(V4 low, V4 high)
    {
        Low = low;
        High = high;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TileRow Add(float a, V4 low, V4 high) => new(Low + a * low, High + a * high);
}

/// <summary>
/// A thread's 8×8 accumulators. Sixteen quads as named fields: the compiler does not unroll loops and keeps indexed arrays in local memory,
/// but it keeps nested structs in registers.
/// </summary>
internal readonly struct RegisterTile
{
    public readonly TileRow R0, R1, R2, R3, R4, R5, R6, R7;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private RegisterTile(TileRow r0, TileRow r1, TileRow r2, TileRow r3, TileRow r4, TileRow r5, TileRow r6, TileRow r7)
    {
        R0 = r0;
        R1 = r1;
        R2 = r2;
        R3 = r3;
        R4 = r4;
        R5 = r5;
        R6 = r6;
        R7 = r7;
    }

    /// <summary>Zeros.</summary>
    public static RegisterTile Zero
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            var row = new TileRow(new V4(0), new V4(0));
            return new RegisterTile(row, row, row, row, row, row, row, row);
        }
    }

    /// <summary>Adds the outer product of eight rows (two quads of a) and eight columns (two quads of b): 64 multiply-adds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public RegisterTile AddOuter(V4 a0, V4 a1, V4 b0, V4 b1) => new(
        R0.Add(a0.X, b0, b1), R1.Add(a0.Y, b0, b1), R2.Add(a0.Z, b0, b1), R3.Add(a0.W, b0, b1),
        R4.Add(a1.X, b0, b1), R5.Add(a1.Y, b0, b1), R6.Add(a1.Z, b0, b1), R7.Add(a1.W, b0, b1));
}
