namespace Rpat.PtxMachine.Text;

/// <summary>Values that a slot has from the beginning.</summary>
internal enum Special
{
    None,
    Constant,
    Tid,
    Ntid,
    Ctaid,
    Nctaid,
    LaneId,
    WarpId,
    WarpCount,
    DynamicBytes,
}

/// <summary>A register, constant or special register. <see cref="Value"/> is a constant's bits or a special register's axis.</summary>
internal sealed record Slot(string Name, int Bits, Special Special, ulong Value, int Offset);

/// <summary>Gives every register, constant and special register that a text uses a place. Slot 0 is nobody's and always written.</summary>
internal sealed class Slots
{
    private const int Lanes = 32;

    private readonly List<Slot> _slots = [new("", 1, Special.Constant, ~0ul, 0)];
    private readonly List<List<Declaration>> _scopes = [[]];
    private readonly Dictionary<(Declaration, string), int> _registers = [];
    private readonly Dictionary<(Special, ulong, int), int> _values = [];

    public IReadOnlyList<Slot> All => _slots;

    /// <summary>Bytes of a warp's file.</summary>
    public int FileBytes { get; private set; } = sizeof(ulong) * Lanes; // what is written to '_' lies before the first register

    public Operand this[int slot] => new(slot, _slots[slot].Offset);

    public void Open() => _scopes.Add([]);

    public void Close() => _scopes.RemoveAt(_scopes.Count - 1);

    /// <summary>Registers <c>name&lt;count&gt;</c>, or one without a count.</summary>
    public void Declare(PtxType type, string name, int? count) => _scopes[^1].Add(new Declaration(type, name, count));

    /// <summary>The slot of a register in scope, -1 if there is none of that name.</summary>
    public int Find(string name, out PtxType type)
    {
        for (int scope = _scopes.Count - 1; scope >= 0; scope--)
        {
            if (_scopes[scope].Find(d => d.Has(name)) is not { } found) continue;
            type = found.Type;
            if (_registers.TryGetValue((found, name), out int slot)) return slot;
            return _registers[(found, name)] = Add(name, type.Bits == 1 ? 1 : type.SlotBits, Special.None, 0);
        }
        type = default;
        return -1;
    }

    /// <summary>The slot of a value that does not change while a group runs.</summary>
    public int Value(Special special, ulong value, int bits)
    {
        if (_values.TryGetValue((special, value, bits), out int slot)) return slot;
        return _values[(special, value, bits)] = Add(special.ToString(), bits, special, value);
    }

    private int Add(string name, int bits, Special special, ulong value)
    {
        _slots.Add(new Slot(name, bits, special, value, FileBytes));
        if (bits > 1) FileBytes += bits / 8 * Lanes; // predicates have words of their own
        return _slots.Count - 1;
    }

    private sealed class Declaration(PtxType type, string name, int? count)
    {
        public PtxType Type => type;

        public bool Has(string other)
        {
            if (count is null) return other == name;
            if (!other.StartsWith(name, StringComparison.Ordinal)) return false;
            var digits = other.AsSpan(name.Length);
            return int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number < count;
        }
    }
}
