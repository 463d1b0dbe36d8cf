using Rpat.PtxMachine.Text;

namespace Rpat.PtxMachine;

/// <summary>A kernel's text, decoded. It can be launched any number of times, by several machines at once.</summary>
public sealed class PtxProgram
{
    internal PtxProgram(string name, Layout layout, Slots slots, Instruction[] code)
    {
        (Name, Layout, Code) = (name, layout, code);
        (Slots, FileBytes) = (slots.All, slots.FileBytes);
        Written = [.. Slots.Select(slot => slot.Special == Special.None ? 0 : uint.MaxValue)];
        GroupSlots = [.. Slots.Where(slot => slot.Special == Special.Ctaid)];
        HasGlobalAtomics = code.Any(i => i.Operation is "atom" or "red" && !i.IsShared);
        HasSharedAtomics = code.Any(i => i.Operation is "atom" or "red" && i.IsShared);
    }

    public string Name { get; }

    /// <summary>Bytes of the static shared arrays.</summary>
    public int StaticSharedBytes => Layout.StaticBytes;

    /// <summary>Whether the kernel uses <c>__dyn_shared_alloca</c>.</summary>
    public bool UsesDynamicShared => Layout.UsesDynamic;

    /// <summary>Bytes of the parameter block.</summary>
    public int ParameterBytes => Layout.ParameterBytes;

    /// <summary>Instructions of the text.</summary>
    public int Instructions => Code.Length - 1;

    internal Layout Layout { get; }

    /// <summary>The instructions, and an exit behind the last.</summary>
    internal Instruction[] Code { get; }

    internal IReadOnlyList<Slot> Slots { get; }

    internal int FileBytes { get; }

    /// <summary>By slot: whether it has a value when a group begins, for all threads or none.</summary>
    internal uint[] Written { get; }

    /// <summary>Slots whose value is the group's.</summary>
    internal Slot[] GroupSlots { get; }

    /// <summary>Sums of atomic operations depend on the order of the groups, which then run one after the other.</summary>
    internal bool HasGlobalAtomics { get; }

    internal bool HasSharedAtomics { get; }

    /// <summary>Decodes a text that has one kernel.</summary>
    /// <param name="name">What faults and reports call the kernel.</param>
    /// <exception cref="PtxTextException">The text has something that the machine does not run.</exception>
    public static PtxProgram Parse(string name, string text) => new Parser(name).Parse(Reader.Read(name, text));

    public override string ToString() => Name;
}
