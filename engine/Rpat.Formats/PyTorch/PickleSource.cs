using System.Buffers.Binary;

namespace Rpat.Formats.PyTorch;

/// <summary>
/// The bytes of a pickle, and of raw data that may follow it. No length in the file is trusted before it is compared with the bytes that
/// are left.
/// </summary>
/// <param name="stream">Seekable; read from its current position.</param>
/// <param name="end">Position in the stream after the last byte.</param>
internal sealed class PickleSource(Stream stream, long end, Func<string, CheckpointException> fail)
{
    private const int MaxLine = 4096; // of an old text opcode: names and numbers

    private readonly StringBuilder _line = new();

    /// <summary>Position of the next byte.</summary>
    public long Position { get; private set; } = stream.Position;

    /// <summary>Bytes that are left.</summary>
    public long Remaining => end - Position;

    public byte ReadByte()
    {
        int value = Remaining > 0 ? stream.ReadByte() : -1;
        if (value < 0) throw Ends();
        Position++;
        return (byte)value;
    }

    public ushort ReadUInt16() => BinaryPrimitives.ReadUInt16LittleEndian(Read(stackalloc byte[2]));

    public int ReadInt32() => BinaryPrimitives.ReadInt32LittleEndian(Read(stackalloc byte[4]));

    public uint ReadUInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Read(stackalloc byte[4]));

    public long ReadInt64() => BinaryPrimitives.ReadInt64LittleEndian(Read(stackalloc byte[8]));

    /// <summary>The only number that pickles write big-endian.</summary>
    public double ReadDouble() => BinaryPrimitives.ReadDoubleBigEndian(Read(stackalloc byte[8]));

    /// <summary>That many bytes, if they are left.</summary>
    public byte[] ReadBytes(long count)
    {
        if (count < 0 || count > Remaining || count > Array.MaxLength)
            throw Error($"{count} bytes are announced where {Remaining} are left");
        byte[] bytes = new byte[count];
        Read(bytes);
        return bytes;
    }

    /// <summary>Text up to a line feed, which is read and left out.</summary>
    public string ReadLine()
    {
        StringBuilder line = _line.Clear();
        for (byte next = ReadByte(); next != '\n'; next = ReadByte())
        {
            if (line.Length == MaxLine) throw Error("a line of text has no end");
            line.Append((char)next);
        }
        return line.ToString();
    }

    public void Skip(long count)
    {
        if (count < 0 || count > Remaining) throw Error($"{count} bytes are announced where {Remaining} are left");
        Position += count;
        stream.Position = Position;
    }

    public CheckpointException Error(string what) => fail($"{what} at byte {Position}");

    private ReadOnlySpan<byte> Read(Span<byte> destination)
    {
        if (destination.Length > Remaining) throw Ends();
        stream.ReadExactly(destination);
        Position += destination.Length;
        return destination;
    }

    private CheckpointException Ends() => Error("it ends in the middle");
}
