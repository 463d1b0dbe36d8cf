using System.Text.RegularExpressions;

namespace Rpat.PtxMachine.Text;

/// <summary>Makes a program of statements: lays out what they declare, decodes them, and finds where branches meet again.</summary>
internal sealed partial class Parser(string kernel)
{
    private readonly Layout _layout = new();
    private readonly Slots _slots = new();
    private readonly List<(InstructionText Text, Instruction Instruction)> _code = [];
    private readonly Dictionary<string, int> _labels = [];
    private bool _entered;

    public PtxProgram Parse(List<Statement> statements)
    {
        var decoder = new Decoder(kernel, _layout, _slots);
        foreach (var statement in statements) Take(statement, decoder);
        if (!_entered) throw new PtxTextException(kernel, 1, "", "the text has no entry");
        Instruction[] code = [.. _code.Select(pair => pair.Instruction), new Instruction(0, "", "end") { Flow = Flow.Exit }];
        Connect(code);
        return new PtxProgram(kernel, _layout, _slots, code);
    }

    private void Take(Statement statement, Decoder decoder)
    {
        switch (statement.Kind)
        {
            case StatementKind.Directive: Declare(statement); break;
            case StatementKind.Entry: Enter(statement); break;
            case StatementKind.Open: _slots.Open(); break;
            case StatementKind.Close: _slots.Close(); break;
            case StatementKind.Label:
                if (!_labels.TryAdd(statement.Text, _code.Count)) throw Refuse(statement, "the label is there twice");
                break;
            default:
                var text = InstructionText.Parse(statement);
                _code.Add((text, decoder.Decode(text)));
                break;
        }
    }

    private void Enter(Statement statement)
    {
        if (statement.Text.Contains(".func", StringComparison.Ordinal)) throw Refuse(statement, "functions are not run; inline them");
        if (_entered) throw Refuse(statement, "a second entry; give one kernel at a time");
        if (!_layout.TryAddParameters(statement.Text)) throw Refuse(statement, "a parameter of unknown form");
        _entered = true;
    }

    private void Declare(Statement statement)
    {
        var registers = RegisterPattern().Match(statement.Text);
        if (registers.Success && PtxType.TryParse(registers.Groups["type"].Value, out var type))
        {
            foreach (Match one in NamePattern().Matches(registers.Groups["names"].Value))
                _slots.Declare(type, one.Groups["name"].Value, int.TryParse(one.Groups["count"].Value, out int count) ? count : null);
            return;
        }
        if (!_layout.TryAddShared(statement.Text) && !IgnoredPattern().IsMatch(statement.Text))
            throw Refuse(statement, "the directive is not known");
    }

    private void Connect(Instruction[] code)
    {
        var flow = new ControlFlow(code.Length);
        for (int at = 0; at < code.Length; at++)
        {
            var instruction = code[at];
            if (instruction.Flow == Flow.Branch) flow.Add(at, instruction.Target = Target(_code[at].Text));
            if (instruction.Flow == Flow.Exit) flow.Add(at, flow.End);
            if (instruction.Guard >= 0 || instruction.Flow is Flow.Straight or Flow.GroupBarrier) flow.Add(at, at + 1);
        }
        int[] joins = flow.PostDominators();
        for (int at = 0; at < code.Length; at++) code[at].Join = joins[at];
    }

    private int Target(InstructionText text) => text.Operands.Length == 1 && _labels.TryGetValue(text.Operands[0], out int at) ? at
        : throw new PtxTextException(kernel, text.Line, text.Text, "the branch has no label that is there");

    private PtxTextException Refuse(Statement statement, string why) => new(kernel, statement.Line, statement.Text, why);

    [GeneratedRegex(@"^\.reg \.(?<type>\w+) (?<names>.+)$")]
    private static partial Regex RegisterPattern();

    [GeneratedRegex(@"(?<name>[\w$%]+?)(<(?<count>\d+)>)?(?=\s*(,|$))")]
    private static partial Regex NamePattern();

    [GeneratedRegex(@"^\.(version|target|address_size|loc|file|pragma)\b")]
    private static partial Regex IgnoredPattern();
}
