using System.Text.RegularExpressions;
using Rpat.PtxMachine.Operations;

namespace Rpat.PtxMachine.Text;

/// <summary>Makes instructions of their words. Most are found in <see cref="OperationTable"/>; the others have a method here.</summary>
internal sealed unsafe partial class Decoder(string kernel, Layout layout, Slots slots)
{
    private InstructionText _text = null!;

    public Instruction Decode(InstructionText text)
    {
        _text = text;
        var instruction = new Instruction(text.Line, text.Text, text.Root);
        if (text.Guard is not null) (instruction.Guard, instruction.Negated) = (Source(text.Guard, PtxType.Predicate).Slot, text.Negated);
        if (!DecodeOther(instruction) && !DecodeByTable(instruction)) throw Refuse("the operation is not known");
        return instruction;
    }

    private bool DecodeOther(Instruction i)
    {
        switch (_text.Root)
        {
            case "bra": return DecodeBranch(i);
            case "ret" or "exit": return DecodeExit(i);
            case "bar" or "barrier": return DecodeBarrier(i);
            case "membar" or "fence": return DecodeFence(i);
            case "ld" or "st": return DecodeAccess(i);
            case "cp": return DecodeCopy(i);
            case "atom" or "red": return DecodeAtomic(i);
            case "shfl": return DecodeShuffle(i);
            case "ldmatrix": return DecodeMatrixLoad(i);
            case "mma": return DecodeProduct(i);
            case "cvt": return DecodeByTable(i) || DecodeConversion(i);
            case "mov" when _text.Text.Contains('{', StringComparison.Ordinal): return DecodePacking(i);
            default: return false;
        }
    }

    /// <summary>A form has a letter for each operand: w 32 bits, x 64 bits, h 16 bits, p a predicate.</summary>
    private bool DecodeByTable(Instruction i)
    {
        if (OperationTable.Find(_text.Operation) is not { } operation) return false;
        string form = operation.Form;
        if (_text.Operands.Length != form.Length) throw Refuse($"the operation has {form.Length} operands");
        i.Execute = operation.Run;
        i.D = Target(_text.Operands[0], TypeOf(form[0]));
        if (form.Length > 1) i.A = Source(_text.Operands[1], TypeOf(form[1]));
        if (form.Length > 2) i.B = Source(_text.Operands[2], TypeOf(form[2]));
        if (form.Length > 3) i.C = Source(_text.Operands[3], TypeOf(form[3]));
        if (form.Length > 4) i.Sources = [Source(_text.Operands[4], TypeOf(form[4]))];
        return true;
    }

    private static PtxType TypeOf(char letter) => letter switch
    {
        'p' => PtxType.Predicate,
        'h' => new PtxType('b', 16),
        'x' => new PtxType('b', 64),
        _ => new PtxType('b', 32),
    };

    private bool DecodeBranch(Instruction i)
    {
        i.Flow = Flow.Branch;
        i.Uniform = _text.Operation == "bra.uni";
        return _text.Operation is "bra" or "bra.uni";
    }

    private bool DecodeExit(Instruction i)
    {
        i.Flow = Flow.Exit;
        return _text.Operation is "ret" or "exit" or "ret.uni" && Count(0);
    }

    private bool DecodeBarrier(Instruction i)
    {
        if (_text.Operation == "bar.warp.sync")
        {
            i.Execute = &Exchanges.WarpBarrier;
            return Count(1) && Put(out i.A, Source(_text.Operands[0], TypeOf('w')));
        }
        i.Flow = Flow.GroupBarrier;
        bool known = _text.Operation is "bar.sync" or "bar.cta.sync" or "barrier.sync.aligned";
        return known && Count(1) && int.TryParse(_text.Operands[0], out _);
    }

    private bool DecodeFence(Instruction i)
    {
        i.Execute = &Exchanges.Nothing;
        return FencePattern().IsMatch(_text.Operation) && Count(0);
    }

    private bool Count(int operands) => _text.Operands.Length == operands ? true : throw Refuse($"the operation has {operands} operands");

    private static bool Put<T>(out T to, T value)
    {
        to = value;
        return true;
    }

    private Operand Target(string name, PtxType type)
    {
        if (name == "_") return default;
        int slot = slots.Find(name, out var declared);
        return slot >= 0 ? Fit(slot, name, declared, type) : throw Refuse($"{name} is not a declared register");
    }

    private Operand Source(string name, PtxType type)
    {
        int slot = slots.Find(name, out var declared);
        return slot >= 0 ? Fit(slot, name, declared, type) : slots[Constant(name, type)];
    }

    private Operand Fit(int slot, string name, PtxType declared, PtxType wanted) => declared.Bits == wanted.Bits ? slots[slot]
        : throw Refuse($"register {name} has {declared.Bits} bits and the operation takes {wanted.Bits}");

    private int Constant(string text, PtxType type)
    {
        int bits = type.Bits == 1 ? 1 : type.SlotBits;
        if (FindSpecial(text, out var special, out ulong axis)) return slots.Value(special, axis, bits);
        if (layout.TryShared(text, out int at)) return slots.Value(Special.Constant, (ulong)at, bits);
        if (!TryNumber(text, type, out ulong value))
            throw Refuse($"{text} is neither a declared register nor a constant of {type.Bits} bits");
        return slots.Value(Special.Constant, type.Bits == 1 ? value == 0 ? 0 : uint.MaxValue : bits == 32 ? (uint)value : value, bits);
    }

    private static bool TryNumber(string text, PtxType type, out ulong value)
    {
        value = 32;
        if (text == "WARP_SZ") return true;
        bool negative = text.StartsWith('-');
        var digits = text.AsSpan(negative ? 1 : 0).TrimEnd('U');
        string prefix = text.Length > 2 ? text[..2].ToLowerInvariant() : "";
        if (prefix == "0f" ? type.Bits != 32 : prefix == "0d" && type.Bits != 64) return false;
        bool hexadecimal = prefix is "0f" or "0d" or "0x";
        bool good = ulong.TryParse(hexadecimal ? digits[2..] : digits,
            hexadecimal ? NumberStyles.HexNumber : NumberStyles.None, CultureInfo.InvariantCulture, out value);
        if (negative) value = 0 - value;
        return good;
    }

    private static bool FindSpecial(string name, out Special special, out ulong axis)
    {
        var match = SpecialPattern().Match(name);
        axis = match.Groups["axis"].Success ? (ulong)(match.Groups["axis"].Value[0] - 'x') : 0;
        special = (match.Success ? match.Groups["name"].Value : "") switch
        {
            "tid" => Special.Tid,
            "ntid" => Special.Ntid,
            "ctaid" => Special.Ctaid,
            "nctaid" => Special.Nctaid,
            _ => name switch
            {
                "%laneid" => Special.LaneId,
                "%warpid" => Special.WarpId,
                "%nwarpid" => Special.WarpCount,
                "%dynamic_smem_size" => Special.DynamicBytes,
                _ => Special.None,
            },
        };
        return special != Special.None;
    }

    private PtxTextException Refuse(string why) => new(kernel, _text.Line, _text.Text, $"{why} ({_text.Operation})");

    [GeneratedRegex(@"^%(?<name>n?tid|n?ctaid)\.(?<axis>[xyz])$")]
    private static partial Regex SpecialPattern();

    [GeneratedRegex(@"^(membar\.(cta|gl|sys)|fence(\.(sc|acq_rel))?\.(cta|gpu|sys))$")]
    private static partial Regex FencePattern();
}
