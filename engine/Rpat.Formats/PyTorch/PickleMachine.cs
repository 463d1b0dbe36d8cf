using System.Numerics;

namespace Rpat.Formats.PyTorch;

/// <summary>
/// Reads a Python pickle of protocol 0 to 5 as data. The format is a program for a small stack machine that may call any
/// function; here names of classes and functions stay names, a closed list of calls is understood (<see cref="TorchCalls"/>),
/// and everything else becomes an inert <see cref="PickleObject"/>. Both the number of opcodes and the memory held are bounded.
/// </summary>
/// <param name="source">Where the opcodes come from; left after the last one.</param>
/// <param name="maxHeld">The bound on <see cref="Held"/>.</param>
/// <param name="maxWork">The bound on <see cref="Work"/>.</param>
internal sealed partial class PickleMachine(
    PickleSource source, Func<object?, object?> persistent, long maxHeld, long maxWork = PickleMachine.MaxWork)
{
    /// <summary>More steps than any checkpoint takes.</summary>
    public const long MaxWork = 10_000_000;

    private const int Slot = 12; // of a list that grows by doubling, on average

    private readonly List<object?> _stack = [];
    private readonly Stack<int> _marks = [];
    private readonly List<object?> _memo = []; // writers count up from 0
    private readonly Dictionary<long, object?> _sparseMemo = [];
    private readonly HashSet<string> _unknown = new(StringComparer.Ordinal);
    private long _work;
    private int _deepest;

    /// <summary>Opcodes executed, and items copied by calls.</summary>
    public long Work => _work;

    /// <summary>Approximate bytes of all objects made so far, including those already released.</summary>
    public long Held { get; private set; }

    /// <summary>Names of classes and functions that became inert records, in alphabetical order.</summary>
    public IEnumerable<string> Unknown => _unknown.Order(StringComparer.Ordinal);

    /// <summary>Reads one pickle up to its end mark.</summary>
    /// <exception cref="CheckpointException">It is damaged, or larger than any checkpoint.</exception>
    public object? Run()
    {
        while (true)
        {
            Charge(1);
            byte opcode = source.ReadByte();
            if (opcode == (byte)'.') return Pop();
            if (!Value(opcode) && !Text(opcode) && !Container(opcode) && !Memo(opcode) && !Object(opcode))
                throw source.Error($"0x{opcode:X2} is not a pickle opcode,");
        }
    }

    private void Charge(long work)
    {
        if ((_work += work) > maxWork) throw source.Error($"its pickle has more than {maxWork} steps");
    }

    private void Hold(long bytes)
    {
        if ((Held += bytes) > maxHeld)
            throw source.Error($"its pickle makes objects of more than {maxHeld} bytes, far more than the file has,");
    }

    private void Push(object? value)
    {
        _stack.Add(value);
        if (_stack.Count <= _deepest) return;
        _deepest = _stack.Count;
        Hold(Slot);
    }

    private void PushNew(object value)
    {
        Hold(SizeOf(value));
        Push(value);
    }

    // An object's header takes 16 bytes, an array's 24.
    private static long SizeOf(object value) => value switch
    {
        string text => 24 + 2L * text.Length,
        byte[] bytes => 24 + bytes.LongLength,
        BigInteger number => 64 + number.GetByteCount(),
        PickleTuple tuple => 48 + 8L * tuple.Items.Count,
        PickleGlobal name => 80 + 2L * (name.Module.Length + name.Name.Length),
        PickleObject => 56,
        TensorRef => 200,
        _ => 24,
    };

    private object? Pop()
    {
        int floor = _marks.Count > 0 ? _marks.Peek() : 0;
        if (_stack.Count <= floor) throw source.Error("its pickle takes a value that is not there");
        object? value = _stack[^1];
        _stack.RemoveAt(_stack.Count - 1);
        return value;
    }

    private object? Top()
    {
        if (_stack.Count == 0) throw source.Error("its pickle uses a value that is not there");
        return _stack[^1];
    }

    /// <summary>Takes everything above the last mark, and the mark.</summary>
    private object?[] PopToMark()
    {
        if (!_marks.TryPop(out int mark)) throw source.Error("its pickle uses a mark that is not there");
        var items = new object?[_stack.Count - mark];
        _stack.CopyTo(mark, items, 0, items.Length);
        _stack.RemoveRange(mark, items.Length);
        return items;
    }

    private bool Memo(byte opcode)
    {
        switch (opcode)
        {
            case (byte)'q': Keep(source.ReadByte()); return true;
            case (byte)'r': Keep(source.ReadUInt32()); return true;
            case (byte)'p': Keep(Index(source.ReadLine())); return true;
            case 0x94: Keep(_memo.Count + _sparseMemo.Count); return true;
            case (byte)'h': Push(Recall(source.ReadByte())); return true;
            case (byte)'j': Push(Recall(source.ReadUInt32())); return true;
            case (byte)'g': Push(Recall(Index(source.ReadLine()))); return true;
            default: return false;
        }
    }

    private void Keep(long index)
    {
        object? value = Top();
        if (index < _memo.Count)
        {
            _memo[(int)index] = value;
            return;
        }
        bool isNext = index == _memo.Count && _sparseMemo.Count == 0;
        Hold(isNext ? Slot : 4 * Slot);
        if (isNext) _memo.Add(value);
        else _sparseMemo[index] = value;
    }

    private object? Recall(long index) => index < _memo.Count ? _memo[(int)index]
        : _sparseMemo.TryGetValue(index, out object? value) ? value
        : throw source.Error($"its pickle recalls value {index}, which it never kept,");

    private long Index(string text) => ParseWhole(text) is { } number && number >= 0 && number <= uint.MaxValue
        ? (long)number
        : throw source.Error($"'{Short(text)}' is not a memo index");

    private static BigInteger? ParseWhole(string text) => BigInteger.TryParse(
        text.TrimEnd('L', '\r'), System.Globalization.NumberStyles.AllowLeadingSign, System.Globalization.CultureInfo.InvariantCulture,
        out var number)
        ? number : null;

    // Names come from the file and may be anything: an error shows only their beginning.
    private static string Short(string text) =>
        string.Concat(text.Take(40).Select(c => char.IsControl(c) ? '?' : c)) + (text.Length > 40 ? "…" : "");
}
