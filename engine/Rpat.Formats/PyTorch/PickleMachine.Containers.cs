namespace Rpat.Formats.PyTorch;

/// <summary>Opcodes that make and fill containers, and the stack's own.</summary>
internal sealed partial class PickleMachine
{
    private const int FirstItem = 120; // the list underneath and its first array

    private bool Container(byte opcode)
    {
        switch (opcode)
        {
            case (byte)'(': PushMark(); return true;
            case (byte)'0': Pop(); return true;
            case (byte)'1': PopToMark(); return true;
            case (byte)'2': Push(Top()); return true;
            case (byte)')': Push(PickleTuple.Empty); return true;
            case (byte)'t': PushNew(new PickleTuple(PopToMark())); return true;
            case 0x85: PushTuple(1); return true;
            case 0x86: PushTuple(2); return true;
            case 0x87: PushTuple(3); return true;
            case (byte)']' or 0x8F: PushNew(new PickleList()); return true;
            case (byte)'}': PushNew(new PickleDict()); return true;
            case (byte)'l' or 0x91: PushList(PopToMark()); return true;
            case (byte)'d': PushDict(PopToMark()); return true;
            case (byte)'a': AppendOne(); return true;
            case (byte)'e' or 0x90: AppendAll(PopToMark()); return true;
            case (byte)'s': SetOne(); return true;
            case (byte)'u': SetAll(PopToMark()); return true;
            default: return false;
        }
    }

    private void PushMark()
    {
        _marks.Push(_stack.Count);
        Hold(1); // popped soon, and small
    }

    private void PushTuple(int count)
    {
        var items = new object?[count];
        for (int i = count - 1; i >= 0; i--) items[i] = Pop();
        PushNew(new PickleTuple(items));
    }

    private void PushList(object?[] items)
    {
        PushNew(new PickleList());
        AppendAll(items);
    }

    private void PushDict(object?[] pairs)
    {
        PushNew(new PickleDict());
        SetAll(pairs);
    }

    private void AppendOne()
    {
        object? item = Pop();
        Add(ListOf(Top()), item);
    }

    private void AppendAll(object?[] items)
    {
        PickleList list = ListOf(Top());
        foreach (object? item in items) Add(list, item);
    }

    private void SetOne()
    {
        object? value = Pop(), key = Pop();
        Add(DictOf(Top()), key, value);
    }

    private void SetAll(object?[] pairs)
    {
        if (pairs.Length % 2 != 0) throw source.Error("a dict is given a key without a value");
        PickleDict dict = DictOf(Top());
        for (int i = 0; i < pairs.Length; i += 2) Add(dict, pairs[i], pairs[i + 1]);
    }

    private void Add(PickleList list, object? item)
    {
        Hold(list.Items.Count == 0 ? FirstItem : Slot);
        list.Add(item);
    }

    private void Add(PickleDict dict, object? key, object? value)
    {
        Hold(dict.Items.Count == 0 ? FirstItem : 2 * Slot);
        dict.Add(key, value);
    }

    private PickleList ListOf(object? target) => target switch
    {
        PickleList list => list,
        PickleObject record => record.List ??= new PickleList(),
        _ => throw source.Error("an item is appended to something that is not a list"),
    };

    private PickleDict DictOf(object? target) => target switch
    {
        PickleDict dict => dict,
        PickleObject record => record.Dict ??= new PickleDict(),
        _ => throw source.Error("an item is set in something that is not a dict"),
    };
}
