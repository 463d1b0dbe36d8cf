using System.Numerics;

namespace Rpat.Formats.PyTorch;

/// <summary>Opcodes that push numbers, texts and bytes.</summary>
internal sealed partial class PickleMachine
{
    // Python 2 wrote names and raw data alike as 'str': short ones are read as text, long ones as bytes.
    private const int LongestText = 1024;

    // Lists of pixels repeat them by the million.
    private static readonly object[] _small = [.. Enumerable.Range(0, 256).Select(value => (object)(long)value)];

    private bool Value(byte opcode)
    {
        switch (opcode)
        {
            case 0x80: CheckProtocol(source.ReadByte()); return true;
            case 0x95: source.ReadInt64(); return true; // the length of a frame, which a reader can ignore
            case (byte)'N': Push(null); return true;
            case 0x88: Push(true); return true;
            case 0x89: Push(false); return true;
            case (byte)'J': PushNew((long)source.ReadInt32()); return true;
            case (byte)'K': Push(_small[source.ReadByte()]); return true;
            case (byte)'M': PushNew((long)source.ReadUInt16()); return true;
            case 0x8A: PushNew(Whole(source.ReadBytes(source.ReadByte()))); return true;
            case 0x8B: PushNew(Whole(source.ReadBytes(source.ReadInt32()))); return true;
            case (byte)'G': PushNew(source.ReadDouble()); return true;
            case (byte)'I': PushNew(TextInteger(source.ReadLine())); return true;
            case (byte)'L': PushNew(TextInteger(source.ReadLine())); return true;
            case (byte)'F': PushNew(TextReal(source.ReadLine())); return true;
            default: return false;
        }
    }

    private bool Text(byte opcode)
    {
        switch (opcode)
        {
            case (byte)'X': PushNew(Utf8(source.ReadBytes(source.ReadUInt32()))); return true;
            case 0x8C: PushNew(Utf8(source.ReadBytes(source.ReadByte()))); return true;
            case 0x8D: PushNew(Utf8(source.ReadBytes(source.ReadInt64()))); return true;
            case (byte)'U': PushNew(Latin(source.ReadBytes(source.ReadByte()))); return true;
            case (byte)'T': PushNew(Latin(source.ReadBytes(source.ReadInt32()))); return true;
            case (byte)'S': PushNew(Unquoted(source.ReadLine())); return true;
            case (byte)'V': PushNew(source.ReadLine()); return true;
            case (byte)'C': PushNew(source.ReadBytes(source.ReadByte())); return true;
            case (byte)'B': PushNew(source.ReadBytes(source.ReadUInt32())); return true;
            case 0x8E or 0x96: PushNew(source.ReadBytes(source.ReadInt64())); return true;
            default: return false;
        }
    }

    private void CheckProtocol(byte protocol)
    {
        if (protocol > 5) throw source.Error($"pickle protocol {protocol} is not known (0 to 5 are)");
    }

    private static object Whole(byte[] twosComplement) => Whole(new BigInteger(twosComplement));

    private static object Whole(BigInteger value) =>
        value >= 0 && value <= byte.MaxValue ? _small[(int)value]
        : value >= long.MinValue && value <= long.MaxValue ? (object)(long)value : value;

    private object TextInteger(string line)
    {
        if (line is "01" or "00") return line == "01"; // how protocol 0 writes booleans
        if (ParseWhole(line) is not { } value) throw source.Error($"'{Short(line)}' is not a whole number");
        return Whole(value);
    }

    private double TextReal(string line) => double.TryParse(line, NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
        ? value
        : throw source.Error($"'{Short(line)}' is not a number");

    private string Unquoted(string line)
    {
        string text = line.TrimEnd('\r');
        return text.Length >= 2 && text[0] == text[^1] && text[0] is '\'' or '"' ? text[1..^1] : throw source.Error("a text is not quoted");
    }

    private static string Utf8(byte[] bytes) => Encoding.UTF8.GetString(bytes);

    private static object Latin(byte[] bytes) => bytes.Length <= LongestText ? Encoding.Latin1.GetString(bytes) : bytes;
}
