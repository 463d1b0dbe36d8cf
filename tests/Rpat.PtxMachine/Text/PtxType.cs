namespace Rpat.PtxMachine.Text;

/// <summary>A type of PTX: its letter (b, u, s, f or p for predicates) and width.</summary>
internal readonly record struct PtxType(char Letter, int Bits)
{
    public static readonly PtxType Predicate = new('p', 1);

    public bool IsFloat => Letter == 'f';

    public bool IsSigned => Letter == 's';

    public int Bytes => Bits / 8;

    /// <summary>Bits that a register of the type takes in the machine.</summary>
    public int SlotBits => Bits == 64 ? 64 : 32;

    public static bool TryParse(string text, out PtxType type)
    {
        type = text == "pred" ? Predicate : default;
        if (text.Length is < 2 or > 3 || !"busf".Contains(text[0]) || !int.TryParse(text.AsSpan(1), out int bits)) return type.Bits > 0;
        if (bits is not (8 or 16 or 32 or 64) || (text[0] == 'f' && bits < 32)) return false;
        type = new PtxType(text[0], bits);
        return true;
    }
}
