using Rpat.Ilgpu.Emulator.Execution;

namespace Rpat.Ilgpu.Emulator.Ptx;

/// <summary>
/// ldmatrix: 8×8 matrices of 16-bit values from shared memory. Thread 8m + r names the 16 bytes of row r of matrix m; register m of a
/// thread receives the values (g, 2t) and (g, 2t+1) of matrix m, or with .trans (2t, g) and (2t+1, g), g = lane / 4 and t = lane % 4.
/// </summary>
internal sealed unsafe class PtxLdmatrix : Collective
{
    private const int Rows = 8, RowBytes = 16;
    private readonly int _matrices;
    private readonly bool _transposed;

    private PtxLdmatrix(string name, int matrices, bool transposed) : base(name, wholeGroup: false) =>
        (_matrices, _transposed) = (matrices, transposed);

    /// <summary>The operation of an instruction.</summary>
    public static Collective Find(string name)
    {
        const string Begin = "ldmatrix.sync.aligned.m8n8.x", End = ".shared.b16";
        if (!name.StartsWith(Begin, StringComparison.Ordinal) || !name.EndsWith(End, StringComparison.Ordinal)) throw PtxOperations.Unknown(name);
        bool transposed = name.Contains(".trans", StringComparison.Ordinal);
        return new PtxLdmatrix(name, name[Begin.Length] - '0', transposed);
    }

    public override void Resolve(ReadOnlySpan<Lane> lanes)
    {
        if (lanes.Length != GroupRun.WarpSize) throw Fault.In(lanes[0], $"loads matrices in a warp of {lanes.Length} threads");
        Span<ushort> values = stackalloc ushort[4 * Rows * Rows];
        for (int row = 0; row < _matrices * Rows; row++) ReadRow(lanes[row], values.Slice(row * Rows, Rows));
        foreach (var lane in lanes) Hand(lane, values);
    }

    private static void ReadRow(Lane lane, Span<ushort> row)
    {
        Lane.CurrentOrNull = lane;
        lane.Group.Shared.BeginSegment();
        byte* place = PtxMemory.Place(lane.Ptx.Address(lane.Ptx.Instruction.Arguments[1]), RowBytes, shared: true, write: false);
        new ReadOnlySpan<ushort>(place, Rows).CopyTo(row);
        lane.Group.Shared.EndSegment(lane);
    }

    private void Hand(Lane lane, ReadOnlySpan<ushort> values)
    {
        int g = lane.Number % GroupRun.WarpSize / 4, t = lane.Number % 4;
        var targets = lane.Ptx.Instruction.Arguments[0].Parts;
        for (int matrix = 0; matrix < _matrices; matrix++)
        {
            var all = values.Slice(matrix * Rows * Rows, Rows * Rows);
            uint low = _transposed ? all[2 * t * Rows + g] : all[g * Rows + 2 * t];
            uint high = _transposed ? all[(2 * t + 1) * Rows + g] : all[g * Rows + 2 * t + 1];
            lane.Ptx.Set(targets[matrix], high << 16 | low);
        }
    }
}
