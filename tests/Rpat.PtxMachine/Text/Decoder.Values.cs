using System.Text.RegularExpressions;
using Rpat.PtxMachine.Operations;

namespace Rpat.PtxMachine.Text;

/// <summary>What moves values between threads, types and registers: exchanges, products, conversions, packing.</summary>
internal sealed unsafe partial class Decoder
{
    private bool DecodeShuffle(Instruction i)
    {
        var match = ShufflePattern().Match(_text.Operation);
        if (!match.Success || !Enum.TryParse(match.Groups["mode"].Value, ignoreCase: true, out ShuffleMode mode)) return false;
        Count(5);
        string[] targets = _text.Operands[0].Split('|');
        i.D = Target(targets[0].Trim(), TypeOf('w'));
        if (targets.Length > 1) i.Targets = [Target(targets[1].Trim(), PtxType.Predicate)];
        Operand[] sources = [.. _text.Operands.Skip(1).Select(operand => Source(operand, TypeOf('w')))];
        (i.A, i.B, i.C, i.Sources) = (sources[0], sources[1], sources[2], [sources[3]]);
        i.Mode = (int)mode;
        i.Execute = &Exchanges.Shuffle;
        return true;
    }

    private bool DecodeProduct(Instruction i)
    {
        var match = ProductPattern().Match(_text.Operation);
        if (!match.Success) return false;
        Count(4);
        int factors = match.Groups["type"].Value == "tf32" ? 1 : 2;
        int words = int.Parse(match.Groups["depth"].Value, CultureInfo.InvariantCulture) / factors; // of 32 bits, along the reduction
        if (words is not (4 or 8)) return false;
        (i.Mode, i.Elements) = (factors, words);
        string[] operands = _text.Operands;
        i.Targets = Registers(operands[0], 4, target: true);
        i.Sources = [.. Registers(operands[1], words / 2), .. Registers(operands[2], words / 4), .. Registers(operands[3], 4)];
        i.Execute = &Products.Multiply;
        return true;
    }

    private Operand[] Registers(string vector, int count, bool target = false)
    {
        string[] names = InstructionText.Elements(vector);
        if (names.Length != count) throw Refuse($"{vector} should have {count} registers");
        return [.. names.Select(name => target ? Target(name, TypeOf('w')) : Source(name, TypeOf('w')))];
    }

    private bool DecodePacking(Instruction i)
    {
        if (_text.Operation is not ("mov.b64" or "mov.u64")) return false;
        Count(2);
        bool pack = _text.Operands[1].StartsWith('{');
        if (pack) i.D = Target(_text.Operands[0], TypeOf('x'));
        else i.A = Source(_text.Operands[1], TypeOf('x'));
        if (pack) i.Sources = Registers(_text.Operands[1], 2);
        else i.Targets = Registers(_text.Operands[0], 2, target: true);
        i.Execute = pack ? &Conversions.Pack : &Conversions.Unpack;
        return true;
    }

    private bool DecodeConversion(Instruction i)
    {
        var match = ConversionPattern().Match(_text.Operation);
        var (to, from) = (match.Groups["to"].Value, match.Groups["from"].Value);
        if (!PtxType.TryParse(to, out i.To) || !PtxType.TryParse(from, out i.From)) return false;
        Count(2);
        string mode = match.Groups["mode"].Value;
        if (i.To.Letter == 'b' || i.From.Letter == 'b' || !Conversions.Takes(mode, i.To, i.From)) return false;
        i.Mode = (int)(mode.Length == 0 ? Rounding.Rn : Enum.Parse<Rounding>(mode[..2], ignoreCase: true));
        i.Flag = match.Groups["sat"].Success;
        i.D = Wider(_text.Operands[0], i.To, Target, out int bits);
        i.Bytes = bits / 8;
        i.A = Wider(_text.Operands[1], i.From, Source, out bits);
        i.Elements = bits / 8;
        i.Execute = &Conversions.Run;
        return true;
    }

    // Conversions take registers that are wider than their types.
    private Operand Wider(string name, PtxType type, Func<string, PtxType, Operand> find, out int bits)
    {
        bool wider = slots.Find(name, out var declared) >= 0 && declared.Bits > type.Bits && !type.IsFloat;
        bits = wider ? declared.SlotBits : type.SlotBits;
        return find(name, wider ? declared : type);
    }

    [GeneratedRegex(@"^shfl\.sync\.(?<mode>up|down|bfly|idx)\.b32$")]
    private static partial Regex ShufflePattern();

    [GeneratedRegex(@"^mma\.sync\.aligned\.m16n8k(?<depth>4|8|16)\.row\.col\.f32\.(?<type>tf32|bf16)\.\k<type>\.f32$")]
    private static partial Regex ProductPattern();

    [GeneratedRegex(@"^cvt(\.(?<mode>r[nzmp]i?))?(?<sat>\.sat)?\.(?<to>[usf]\d+)\.(?<from>[usf]\d+)$")]
    private static partial Regex ConversionPattern();
}
