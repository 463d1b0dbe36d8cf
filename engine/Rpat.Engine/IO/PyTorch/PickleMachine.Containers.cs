namespace Rpat.Engine.IO.PyTorch;

/// <summary>Opcodes that make and fill containers, and the stack's own.</summary>
internal sealed partial class PickleMachine
{
    private bool Container(byte opcode)
    {
        switch (opcode)
        {
            case (byte)'(': _marks.Push(_stack.Count); return true;
            case (byte)'0': Pop(); return true;
            case (byte)'1': PopToMark(); return true;
            case (byte)'2': Push(Top()); return true;
            case (byte)')': Push(PickleTuple.Empty); return true;
            case (byte)'t': Push(new PickleTuple(PopToMark())); return true;
            case 0x85: PushTuple(1); return true;
            case 0x86: PushTuple(2); return true;
            case 0x87: PushTuple(3); return true;
            case (byte)']' or 0x8F: Push(new PickleList()); return true;
            case (byte)'}': Push(new PickleDict()); return true;
            case (byte)'l' or 0x91: PushList(PopToMark()); return true;
            case (byte)'d': PushDict(PopToMark()); return true;
            case (byte)'a': AppendOne(); return true;
            case (byte)'e' or 0x90: AppendAll(PopToMark()); return true;
            case (byte)'s': SetOne(); return true;
            case (byte)'u': SetAll(PopToMark()); return true;
            default: return false;
        }
    }

    private void PushTuple(int count)
    {
        var items = new object?[count];
        for (int i = count - 1; i >= 0; i--) items[i] = Pop();
        Push(new PickleTuple(items));
    }

    private void PushList(object?[] items)
    {
        Push(new PickleList());
        AppendAll(items);
    }

    private void PushDict(object?[] pairs)
    {
        Push(new PickleDict());
        SetAll(pairs);
    }

    private void AppendOne()
    {
        object? item = Pop();
        ListOf(Top()).Add(item);
    }

    private void AppendAll(object?[] items)
    {
        PickleList list = ListOf(Top());
        foreach (object? item in items) list.Add(item);
    }

    private void SetOne()
    {
        object? value = Pop(), key = Pop();
        DictOf(Top()).Add(key, value);
    }

    private void SetAll(object?[] pairs)
    {
        if (pairs.Length % 2 != 0) throw source.Error("a dict is given a key without a value");
        PickleDict dict = DictOf(Top());
        for (int i = 0; i < pairs.Length; i += 2) dict.Add(pairs[i], pairs[i + 1]);
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
