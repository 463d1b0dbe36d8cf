using System.Buffers.Binary;
using System.Numerics;

namespace Rpat.Formats.TensorBoard;

/// <summary>
/// The framing of records in event files (TFRecord): length, masked CRC of the length, payload, masked CRC of the payload. A reader
/// ignores a truncated last record.
/// </summary>
public static class EventFrame
{
    /// <summary>Bytes of a record beyond its payload.</summary>
    public const int Overhead = 16;

    private const uint MaskDelta = 0xA282EAD8;

    /// <summary>A whole record.</summary>
    public static byte[] Of(ReadOnlySpan<byte> payload)
    {
        var record = new byte[Overhead + payload.Length];
        BinaryPrimitives.WriteUInt64LittleEndian(record, (ulong)payload.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(8), Masked(record.AsSpan(0, 8)));
        payload.CopyTo(record.AsSpan(12));
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(12 + payload.Length), Masked(payload));
        return record;
    }

    /// <summary>CRC-32C (Castagnoli), with initial value and final complement as the format requires.</summary>
    public static uint Crc(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        for (; bytes.Length >= 8; bytes = bytes[8..]) crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        foreach (byte b in bytes) crc = BitOperations.Crc32C(crc, b);
        return ~crc;
    }

    /// <summary>The CRC as stored in the file: rotated and shifted, so that a CRC computed over CRCs is meaningful.</summary>
    public static uint Masked(ReadOnlySpan<byte> bytes) => unchecked(BitOperations.RotateRight(Crc(bytes), 15) + MaskDelta);

    /// <summary>
    /// Where to truncate a file of <see cref="EventRecords"/> so that it ends with a step: the length of its whole records up to the first
    /// one of a later step.
    /// </summary>
    /// <param name="file">The file's bytes.</param>
    /// <param name="step">The last step to keep.</param>
    public static int LengthUpTo(ReadOnlySpan<byte> file, long step)
    {
        int at = 0;
        while (file.Length - at >= Overhead)
        {
            ulong length = BinaryPrimitives.ReadUInt64LittleEndian(file[at..]);
            if (length > (ulong)(file.Length - at - Overhead) || StepOf(file.Slice(at + 12, (int)length)) > step) break;
            at += Overhead + (int)length;
        }

        return at;
    }

    /// <summary>The numbers of one tag in a file of <see cref="EventRecords"/>, by step, up to the first incomplete record.</summary>
    /// <param name="file">The file's bytes.</param>
    /// <param name="tag">As given to <see cref="EventRecords.Scalar"/>.</param>
    public static IReadOnlyList<(long Step, float Value)> Scalars(ReadOnlySpan<byte> file, string tag)
    {
        List<(long, float)> found = [];
        for (int at = 0; file.Length - at >= Overhead;)
        {
            ulong length = BinaryPrimitives.ReadUInt64LittleEndian(file[at..]);
            if (length > (ulong)(file.Length - at - Overhead)) break;
            var payload = file.Slice(at + 12, (int)length);
            if (IsScalar(payload, tag)) found.Add((StepOf(payload), BinaryPrimitives.ReadSingleLittleEndian(payload[^sizeof(float)..])));
            at += Overhead + (int)length;
        }

        return found;
    }

    // Except for its time (nine bytes at the start) and its number (the last four), a record equals any other of this tag at that step.
    private static bool IsScalar(ReadOnlySpan<byte> payload, string tag)
    {
        const int Time = 9;
        if (payload.Length < Time + sizeof(float) || payload.Length > Time + 64 + 4 * tag.Length) return false;
        var other = EventRecords.Scalar(0, StepOf(payload), tag, 0).AsSpan(12..^4);
        return other.Length == payload.Length && other[Time..^sizeof(float)].SequenceEqual(payload[Time..^sizeof(float)]);
    }

    // An event begins with its time, a tag and eight bytes; its step, unless 0, is the varint after the tag 0x10.
    private static long StepOf(ReadOnlySpan<byte> payload)
    {
        long step = 0;
        if (payload.Length < 10 || payload[9] != 0x10) return step;
        for (int i = 10, shift = 0; i < payload.Length; i++, shift += 7)
        {
            step |= (long)(payload[i] & 127) << shift;
            if (payload[i] < 128) break;
        }

        return step;
    }
}
