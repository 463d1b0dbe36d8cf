using System.Buffers.Binary;

namespace Rpat.Formats.PyTorch;

/// <summary>The few opcodes of pickle protocol 2 that a state dict needs.</summary>
internal sealed class PickleWriter
{
    private readonly MemoryStream _bytes = new();

    public PickleWriter() => Raw(0x80, 2);

    public byte[] Finish()
    {
        Raw((byte)'.');
        return _bytes.ToArray();
    }

    public void Raw(params ReadOnlySpan<byte> bytes) => _bytes.Write(bytes);

    public void Mark() => Raw((byte)'(');

    public void Tuple() => Raw((byte)'t');

    public void EmptyTuple() => Raw((byte)')');

    public void SetItems() => Raw((byte)'u');

    public void PersistentId() => Raw((byte)'Q');

    public void Reduce() => Raw((byte)'R');

    public void False() => Raw(0x89);

    public void Global(string module, string name) => Raw(Encoding.ASCII.GetBytes($"c{module}\n{name}\n"));

    public void Text(string text)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        Span<byte> head = [(byte)'X', 0, 0, 0, 0];
        BinaryPrimitives.WriteInt32LittleEndian(head[1..], utf8.Length);
        Raw(head);
        Raw(utf8);
    }

    public void Whole(long value)
    {
        Span<byte> wide = [0x8A, 8, 0, 0, 0, 0, 0, 0, 0, 0], narrow = [(byte)'J', 0, 0, 0, 0];
        BinaryPrimitives.WriteInt64LittleEndian(wide[2..], value);
        if (value is >= int.MinValue and <= int.MaxValue) BinaryPrimitives.WriteInt32LittleEndian(narrow[1..], (int)value);
        Raw(value is >= int.MinValue and <= int.MaxValue ? narrow : wide);
    }

    public void Sizes(ReadOnlySpan<long> sizes)
    {
        Mark();
        foreach (long size in sizes) Whole(size);
        Tuple();
    }

    public void EmptyOrderedDict()
    {
        Global("collections", "OrderedDict");
        EmptyTuple();
        Reduce();
    }
}
