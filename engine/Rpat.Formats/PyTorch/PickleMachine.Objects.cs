namespace Rpat.Formats.PyTorch;

/// <summary>Opcodes that would look up, call and build things.</summary>
internal sealed partial class PickleMachine
{
    private bool Object(byte opcode)
    {
        switch (opcode)
        {
            case (byte)'c': PushNew(new PickleGlobal(source.ReadLine().TrimEnd('\r'), source.ReadLine().TrimEnd('\r'))); return true;
            case 0x93: PushStackGlobal(); return true;
            case (byte)'R' or 0x81: PushCall(); return true;
            case 0x92: PushCallWithKeywords(); return true;
            case (byte)'o': PushOldObject(PopToMark()); return true;
            case (byte)'i': PushInstance(); return true;
            case (byte)'b': Build(); return true;
            case (byte)'Q': Push(persistent(Pop())); return true;
            case (byte)'P': Push(persistent(source.ReadLine())); return true;
            case 0x82 or 0x83 or 0x84: throw source.Error("its pickle uses a registry of classes that is not in the file");
            default: return false;
        }
    }

    private void PushStackGlobal()
    {
        object? name = Pop(), module = Pop();
        if (name is not string n || module is not string m) throw source.Error("the name of a class is not text");
        PushNew(new PickleGlobal(m, n));
    }

    // Calling a class and calling a function look the same to a reader.
    private void PushCall()
    {
        object? arguments = Pop(), function = Pop();
        object? made = Call(function, arguments);
        if (made is null) Push(null);
        else PushNew(made);
    }

    private void PushCallWithKeywords()
    {
        object? keywords = Pop(), arguments = Pop(), type = Pop();
        PushNew(Inert(type, new PickleTuple([arguments, keywords])));
    }

    private void PushOldObject(object?[] items)
    {
        if (items.Length == 0) throw source.Error("an object has no class");
        PushNew(Inert(items[0], new PickleTuple(items[1..])));
    }

    private void PushInstance()
    {
        var type = new PickleGlobal(source.ReadLine(), source.ReadLine());
        PushNew(Inert(type, new PickleTuple(PopToMark())));
    }

    private object? Call(object? function, object? arguments) =>
        function is PickleGlobal name && arguments is PickleTuple tuple
        && TorchCalls.TryCall(name, tuple.Items, Charge, source.Error, out object? result)
            ? result
            : Inert(function, arguments);

    private PickleObject Inert(object? type, object? arguments)
    {
        if (type is PickleGlobal name && _unknown.Count < 1000) _unknown.Add(Short(name.Module) + "." + Short(name.Name));
        return new PickleObject(type, arguments);
    }

    private void Build()
    {
        object? state = Pop();
        switch (Top())
        {
            case PickleObject record: record.State = state; break;
            case NumpyType type: NumpyCalls.Build(type, state); break;
            case NumpyArray array: NumpyCalls.Build(array, state, source.Error); break;
            default: break; // attributes of a dict or a list (state_dict's _metadata): not needed
        }
    }
}
