using System.Text.RegularExpressions;
using Rpat.PtxMachine.Operations;

namespace Rpat.PtxMachine.Text;

/// <summary>What reaches memory: loads, stores, copies, atomic operations, matrix loads.</summary>
internal sealed unsafe partial class Decoder
{
    private bool DecodeAccess(Instruction i)
    {
        var match = AccessPattern().Match(_text.Operation);
        if (!match.Success || !PtxType.TryParse(match.Groups["type"].Value, out var type)) return false;
        Count(2);
        bool load = _text.Root == "ld";
        string space = match.Groups["space"].Value;
        (i.To, i.Bytes, i.IsShared) = (type, type.Bytes, space.StartsWith("shared", StringComparison.Ordinal));
        if (space == "param") return load && !match.Groups["vector"].Success && DecodeParameter(i, type);
        if (match.Groups["vector"].Success) i.Elements = match.Groups["vector"].Value[1] - '0';
        string[] names = InstructionText.Elements(_text.Operands[load ? 0 : 1]);
        if (names.Length != i.Elements || i.Elements * i.Bytes > 16)
            throw Refuse($"the access has {names.Length} registers of {i.Bytes} bytes");
        DecodeAddress(i, _text.Operands[load ? 1 : 0]);
        if (load) i.Targets = [.. names.Select(name => Target(name, RegisterType(name, type)))];
        else i.Sources = [.. names.Select(name => Source(name, RegisterType(name, type)))];
        i.Execute = load ? &Accesses.Load : &Accesses.Store;
        return true;
    }

    // Memory takes registers that are wider than what moves.
    private PtxType RegisterType(string name, PtxType type)
    {
        bool wider = slots.Find(name, out var declared) >= 0 && declared.Bits > type.Bits && declared.SlotBits == type.SlotBits;
        return wider ? declared : type;
    }

    private bool DecodeParameter(Instruction i, PtxType type)
    {
        var (name, displacement) = Address(_text.Operands[1]);
        if (!layout.TryParameter(name, displacement, type.Bytes, out int at)) throw Refuse("no parameter has these bytes");
        if (at % type.Bytes != 0) throw Refuse($"the parameter does not lie at a multiple of {type.Bytes} bytes");
        i.D = Target(_text.Operands[0], RegisterType(_text.Operands[0], type));
        i.Displacement = at;
        i.Execute = &Accesses.LoadParameter;
        return true;
    }

    private void DecodeAddress(Instruction i, string operand)
    {
        (string name, i.Displacement) = Address(operand);
        int slot = slots.Find(name, out var type);
        if (slot < 0) (slot, type) = (Constant(name, TypeOf('x')), TypeOf('x'));
        if (type.Bits != 64 && !(type.Bits == 32 && i.IsShared)) throw Refuse($"an address in a register of {type.Bits} bits");
        (i.A, i.NarrowAddress) = (slots[slot], type.Bits == 32);
    }

    private (string Name, long Displacement) Address(string operand)
    {
        var match = AddressPattern().Match(operand);
        if (!match.Success) throw Refuse($"{operand} is no address");
        string displacement = match.Groups["displacement"].Value.Replace(" ", "", StringComparison.Ordinal);
        return (match.Groups["name"].Value, displacement.Length == 0 ? 0 : long.Parse(displacement, CultureInfo.InvariantCulture));
    }

    private bool DecodeCopy(Instruction i)
    {
        switch (_text.Operation)
        {
            case "cp.async.commit_group":
                i.Execute = &Copies.Commit;
                return Count(0);
            case "cp.async.wait_all":
                i.Execute = &Copies.WaitAll;
                return Count(0);
            case "cp.async.wait_group":
                i.Execute = &Copies.WaitGroup;
                return Count(1) && int.TryParse(_text.Operands[0], out i.Mode);
        }
        var match = CopyPattern().Match(_text.Operation);
        if (!match.Success || _text.Operands.Length is not (3 or 4)) return false;
        bool whole = match.Groups["cache"].Value == "cg";
        if (!int.TryParse(_text.Operands[2], out i.Bytes) || i.Bytes is not (4 or 8 or 16) || (whole && i.Bytes != 16))
            throw Refuse("a copy moves 4, 8 or 16 bytes, with .cg 16");
        i.IsShared = true;
        DecodeAddress(i, _text.Operands[0]);
        var (name, displacement) = Address(_text.Operands[1]);
        i.B = Source(name, TypeOf('x'));
        i.Mode = checked((int)displacement);
        i.C = Source(_text.Operands.Length > 3 ? _text.Operands[3] : _text.Operands[2], TypeOf('w'));
        i.Execute = &Copies.Begin;
        return true;
    }

    private bool DecodeAtomic(Instruction i)
    {
        var match = AtomicPattern().Match(_text.Operation);
        if (!match.Success || !Enum.TryParse(match.Groups["what"].Value, ignoreCase: true, out AtomicKind kind)) return false;
        if (!PtxType.TryParse(match.Groups["type"].Value, out var type) || !Atomics.Takes(kind, type)) return false;
        bool returns = _text.Root == "atom";
        string[] operands = returns ? _text.Operands : ["_", .. _text.Operands];
        if (operands.Length != (kind == AtomicKind.Cas ? 4 : 3)) throw Refuse("the number of operands is wrong");
        (i.To, i.Bytes, i.Mode, i.IsShared) = (type, type.Bytes, (int)kind, match.Groups["space"].Value != "global");
        DecodeAddress(i, operands[1]);
        i.D = Target(operands[0], type);
        i.B = Source(operands[2], type);
        if (kind == AtomicKind.Cas) i.C = Source(operands[3], type);
        i.Execute = &Atomics.Run;
        return true;
    }

    private bool DecodeMatrixLoad(Instruction i)
    {
        var match = MatrixLoadPattern().Match(_text.Operation);
        if (!match.Success) return false;
        Count(2);
        string[] names = InstructionText.Elements(_text.Operands[0]);
        (i.Elements, i.Flag, i.IsShared, i.Bytes) = (match.Groups["count"].Value[0] - '0', match.Groups["trans"].Success, true, 16);
        if (names.Length != i.Elements) throw Refuse($"{i.Elements} matrices want as many registers");
        DecodeAddress(i, _text.Operands[1]);
        i.Targets = [.. names.Select(name => Target(name, TypeOf('w')))];
        i.Execute = &Exchanges.LoadMatrices;
        return true;
    }

    [GeneratedRegex(@"^(ld|st)(\.volatile)?\.(?<space>global|shared(::cta)?|param)(\.(ca|cg|cs|lu|cv|wb|wt|nc|L1::\w+|L2::\w+))*"
        + @"(\.(?<vector>v[24]))?\.(?<type>\w+)$")]
    private static partial Regex AccessPattern();

    [GeneratedRegex(@"^\[\s*(?<name>[\w$%]+)\s*(\+?\s*(?<displacement>-?\s*\d+))?\s*\]$")]
    private static partial Regex AddressPattern();

    [GeneratedRegex(@"^cp\.async\.(?<cache>ca|cg)\.shared(::cta)?\.global(\.L2::(64|128|256)B)?$")]
    private static partial Regex CopyPattern();

    [GeneratedRegex(@"^(atom|red)(\.relaxed)?(\.(cta|gpu))?\.(?<space>global|shared(::cta)?)\.(?<what>[a-z]+)\.(?<type>\w+)$")]
    private static partial Regex AtomicPattern();

    [GeneratedRegex(@"^ldmatrix\.sync\.aligned\.m8n8\.x(?<count>[124])(?<trans>\.trans)?\.shared(::cta)?\.b16$")]
    private static partial Regex MatrixLoadPattern();
}
