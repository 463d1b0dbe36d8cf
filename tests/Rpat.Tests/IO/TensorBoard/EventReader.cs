using System.Buffers.Binary;

namespace Rpat.Tests.IO.TensorBoard;

/// <summary>One field of a protocol-buffer message.</summary>
internal readonly record struct Field(int Number, ulong Value, byte[] Bytes)
{
    public string Text => Encoding.UTF8.GetString(Bytes);

    public double Double => BitConverter.UInt64BitsToDouble(Value);

    public float Float => BitConverter.UInt32BitsToSingle((uint)Value);

    public Message Message => new(Bytes);
}

/// <summary>A protocol-buffer message, walked by its wire types alone.</summary>
internal sealed class Message(byte[] bytes)
{
    public IReadOnlyList<Field> Fields { get; } = [.. Walk(bytes)];

    public Field this[int number] => Fields.Single(field => field.Number == number);

    public bool Has(int number) => Fields.Any(field => field.Number == number);

    public IEnumerable<Field> All(int number) => Fields.Where(field => field.Number == number);

    private static IEnumerable<Field> Walk(byte[] bytes)
    {
        for (int at = 0; at < bytes.Length;)
        {
            ulong tag = Varint(bytes, ref at);
            int number = (int)(tag >> 3);
            switch (tag & 7)
            {
                case 0: yield return new(number, Varint(bytes, ref at), []); break;
                case 1: yield return new(number, BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(at)), bytes[at..(at += 8)]); break;
                case 5: yield return new(number, BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at)), bytes[at..(at += 4)]); break;
                case 2:
                    int length = (int)Varint(bytes, ref at);
                    yield return new(number, 0, bytes[at..(at += length)]);
                    break;
                default: throw new InvalidDataException($"wire type {tag & 7} at {at}");
            }
        }
    }

    private static ulong Varint(byte[] bytes, ref int at)
    {
        ulong value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte b = bytes[at++];
            value |= (ulong)(b & 127) << shift;
            if (b < 128) return value;
        }
    }
}

/// <summary>Reads an event file as TensorBoard does: checks both sums of each record, and ends at a record that was cut short.</summary>
internal static class EventReader
{
    public static List<Message> Read(byte[] file)
    {
        List<Message> events = [];
        for (int at = 0; at + EventFrame.Overhead <= file.Length;)
        {
            long length = BinaryPrimitives.ReadInt64LittleEndian(file.AsSpan(at));
            Assert.Equal(Masked(file[at..(at + 8)]), BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(at + 8)));
            if (at + EventFrame.Overhead + length > file.Length) break;
            byte[] payload = file[(at + 12)..(int)(at + 12 + length)];
            at += 12 + (int)length;
            Assert.Equal(Masked(payload), BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(at)));
            at += 4;
            events.Add(new Message(payload));
        }

        return events;
    }

    /// <summary>Step and value of each scalar of a tag.</summary>
    public static (long Step, float Value)[] Scalars(IEnumerable<Message> events, string tag) =>
    [
        .. from e in events
           where e.Has(5) && e[5].Message[1].Message is var value && value[1].Text == tag && value.Has(2)
           select (e.Has(2) ? (long)e[2].Value : 0, e[5].Message[1].Message[2].Float),
    ];

    // CRC-32C bit by bit, as its polynomial defines it.
    private static uint Masked(byte[] bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in bytes)
        {
            crc ^= b;
            for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (0x82F63B78 & (uint)-(int)(crc & 1));
        }

        crc = ~crc;
        return unchecked(((crc >> 15) | (crc << 17)) + 0xA282EAD8);
    }
}
