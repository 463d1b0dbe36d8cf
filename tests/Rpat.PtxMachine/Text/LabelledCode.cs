namespace Rpat.PtxMachine.Text;

/// <summary>The instructions of a text and its labels, not decoded.</summary>
internal sealed class LabelledCode
{
    private readonly Dictionary<string, int> _labels = [];

    public LabelledCode(IEnumerable<Statement> statements)
    {
        foreach (var statement in statements)
        {
            if (statement.Kind == StatementKind.Label) _labels.TryAdd(statement.Text, Instructions.Count);
            if (statement.Kind == StatementKind.Instruction) Instructions.Add(InstructionText.Parse(statement));
        }
    }

    public List<InstructionText> Instructions { get; } = [];

    /// <summary>The label of an instruction.</summary>
    public string NameOf(int at) => _labels.FirstOrDefault(label => label.Value == at).Key ?? "";

    public IEnumerable<(int Header, HashSet<int> Members)> Loops()
    {
        var flow = new ControlFlow(Instructions.Count);
        for (int at = 0; at < Instructions.Count; at++)
        {
            var i = Instructions[at];
            bool branches = i.Root == "bra" && i.Operands.Length > 0, ends = i.Root is "ret" or "exit";
            if (branches && _labels.TryGetValue(i.Operands[0], out int target)) flow.Add(at, target);
            if (ends) flow.Add(at, flow.End);
            if (i.Guard is not null || (!branches && !ends)) flow.Add(at, at + 1);
        }
        return flow.Loops();
    }
}
