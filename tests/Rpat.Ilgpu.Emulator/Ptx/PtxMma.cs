using Rpat.Ilgpu.Emulator.Execution;

namespace Rpat.Ilgpu.Emulator.Ptx;

/// <summary>
/// mma.sync: D = A·B + C of a warp, A 16 rows × k, B k × 8 columns. With g = lane / 4 and t = lane % 4, a thread holds (PTX ISA, "Matrix
/// Fragments for mma.m16n8k8" and ".m16n8k16"), counted in 32-bit words along k, which are one TF32 or two bfloat16 factors:
/// A (g, t), (g+8, t), (g, t+4), (g+8, t+4); B (t, g), (t+4, g); C and D (g, 2t), (g, 2t+1), (g+8, 2t), (g+8, 2t+1).
/// </summary>
internal sealed class PtxMma : Collective
{
    private const int Rows = 16, Columns = 8, Words = 8, Factors = 2 * Words;
    private readonly int _factorsPerWord;

    private PtxMma(string name, int factorsPerWord) : base(name, wholeGroup: false) => _factorsPerWord = factorsPerWord;

    /// <summary>The operation of an instruction.</summary>
    public static Collective Find(string name) => name switch
    {
        "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32" => new PtxMma(name, 1),
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32" => new PtxMma(name, 2),
        _ => throw PtxOperations.Unknown(name),
    };

    public override void Resolve(ReadOnlySpan<Lane> lanes)
    {
        if (lanes.Length != GroupRun.WarpSize) throw Fault.In(lanes[0], $"multiplies matrices in a warp of {lanes.Length} threads");
        Span<float> a = stackalloc float[Rows * Factors];
        Span<float> b = stackalloc float[Columns * Factors];
        foreach (var lane in lanes) Gather(lane, a, b);
        foreach (var lane in lanes) Multiply(lane, a, b);
    }

    /// <summary>A factor as the tensor cores see it: they ignore the bits that TF32 does not have.</summary>
    private static float Factor(uint word, int part, int factorsPerWord) => BitConverter.UInt32BitsToSingle(
        factorsPerWord == 1 ? word & 0xFFFF_E000 : part == 0 ? word << 16 : word & 0xFFFF_0000);

    private void Gather(Lane lane, Span<float> a, Span<float> b)
    {
        Lane.CurrentOrNull = lane;
        int g = lane.Number % GroupRun.WarpSize / 4, t = lane.Number % 4;
        var arguments = lane.Ptx.Instruction.Arguments;
        for (int i = 0; i < 4; i++) Spread(lane.Ptx.Word(arguments[1].Parts[i]), a[((g + i % 2 * 8) * Factors)..], t + i / 2 * 4);
        for (int i = 0; i < 2; i++) Spread(lane.Ptx.Word(arguments[2].Parts[i]), b[(g * Factors)..], t + i * 4);
    }

    private void Spread(uint word, Span<float> row, int place)
    {
        for (int part = 0; part < _factorsPerWord; part++) row[place * _factorsPerWord + part] = Factor(word, part, _factorsPerWord);
    }

    private void Multiply(Lane lane, ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        Lane.CurrentOrNull = lane;
        int g = lane.Number % GroupRun.WarpSize / 4, t = lane.Number % 4;
        var arguments = lane.Ptx.Instruction.Arguments;
        Span<float> results = stackalloc float[4];
        for (int i = 0; i < 4; i++)
        {
            int row = g + i / 2 * 8, column = 2 * t + i % 2;
            double sum = BitConverter.UInt32BitsToSingle(lane.Ptx.Word(arguments[3].Parts[i]));
            for (int k = 0; k < Words * _factorsPerWord; k++) sum += (double)a[row * Factors + k] * b[column * Factors + k];
            results[i] = (float)sum;
        }
        for (int i = 0; i < 4; i++) lane.Ptx.Set(arguments[0].Parts[i], BitConverter.SingleToUInt32Bits(results[i]));
    }
}
