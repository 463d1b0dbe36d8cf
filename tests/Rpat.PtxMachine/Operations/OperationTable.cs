using Rpat.PtxMachine.Execution;

namespace Rpat.PtxMachine.Operations;

/// <summary>An operation on registers: its operands, a letter each (see <c>Decoder</c>), and what executes it.</summary>
internal sealed unsafe class Operation(string form, delegate*<Warp, Instruction, uint, void> run)
{
    public string Form => form;

    public readonly delegate*<Warp, Instruction, uint, void> Run = run;
}

/// <summary>
/// The operations that work on registers thread by thread. Names list alternatives: <c>add.rn?.f32</c> may lack its rounding,
/// <c>and.b32|u32</c> has two types.
/// </summary>
internal static unsafe partial class OperationTable
{
    private static readonly Dictionary<string, Operation> s_operations = Build();

    public static Operation? Find(string name) => s_operations.GetValueOrDefault(name);

    private static Dictionary<string, Operation> Build()
    {
        Dictionary<string, Operation> all = [];
        AddFloats(all);
        AddIntegers(all);
        AddBits(all);
        AddComparisons(all);
        AddConversions(all);
        return all;
    }

    private static void Add(this Dictionary<string, Operation> all, string names, string form, delegate*<Warp, Instruction, uint, void> run)
    {
        foreach (string name in Expand(names)) all.Add(name, new Operation(form, run));
    }

    private static IEnumerable<string> Expand(string names)
    {
        IEnumerable<string> all = [""];
        foreach (string part in names.Split('.'))
        {
            string[] choices = [.. part.TrimEnd('?').Split('|').Select(choice => "." + choice)];
            if (part.EndsWith('?')) choices = ["", .. choices];
            all = from begin in all from choice in choices select begin + choice;
        }
        return all.Select(name => name[1..]);
    }
}
