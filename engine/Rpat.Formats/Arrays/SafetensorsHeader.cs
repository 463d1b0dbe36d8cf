using System.Buffers.Binary;
using System.Text.Unicode;

namespace Rpat.Formats.Arrays;

/// <summary>
/// The checked header of a safetensors file. Checked from the outside in: lengths, JSON, each tensor, the layout. The JSON is read
/// token by token, so that a header of many small tokens takes little more memory than its text.
/// </summary>
internal sealed class SafetensorsHeader
{
    internal const string MetadataName = "__metadata__";
    internal const int LengthBytes = 8;
    internal const ulong MaxLength = 100_000_000;

    private readonly string _path;
    private readonly long _dataStart;

    private SafetensorsHeader(string path, byte[] text) => (_path, _dataStart, Text) = (path, LengthBytes + text.Length, text);

    /// <summary>The JSON as it is in the file.</summary>
    internal byte[] Text { get; }

    internal Dictionary<string, string> Metadata { get; } = new(StringComparer.Ordinal);

    internal Dictionary<string, TensorEntry> Tensors { get; } = new(StringComparer.Ordinal);

    internal static SafetensorsHeader Read(FileReader file)
    {
        var header = new SafetensorsHeader(file.Path, ReadText(file));
        header.Parse();
        header.CheckLayout(file.Length);
        return header;
    }

    internal static string TypeName(ElementType type) => type.ToString().ToUpperInvariant();

    private static byte[] ReadText(FileReader file)
    {
        if (file.Length < LengthBytes)
            throw Error(file.Path, $"header too small, the file has {file.Length} of the first {LengthBytes} bytes", "copy the file again");
        Span<byte> prefix = stackalloc byte[LengthBytes];
        file.ReadExactly(0, prefix);
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length > MaxLength)
            throw Error(file.Path, $"header too large, {length} bytes where {MaxLength} are allowed", "check the file's kind");
        if (LengthBytes + (long)length > file.Length)
            throw Error(file.Path, $"bad header length, {length} bytes at offset 0 in a file of {file.Length}", "copy the file again");
        byte[] text = new byte[length];
        file.ReadExactly(LengthBytes, text);
        return text;
    }

    private void Parse()
    {
        if (Text.Length == 0 || Text[0] != (byte)'{' || !Utf8.IsValid(Text))
            throw Error("the header at offset 8 is not a JSON object in UTF-8");
        try
        {
            var json = new Utf8JsonReader(Text);
            json.Read();
            bool hasMetadata = false;
            while (Next(ref json) is { } name)
            {
                bool isMetadata = name == MetadataName;
                if (isMetadata ? hasMetadata : Tensors.ContainsKey(name)) throw Twice(name);
                hasMetadata |= isMetadata;
                if (isMetadata) ReadMetadata(ref json);
                else Tensors.Add(name, ReadTensor(name, ref json));
            }

            while (json.Read()) continue; // only spaces may follow
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a string with a lone surrogate escape.
            throw Error($"the header at offset 8 is not valid JSON ({error.Message.TrimEnd('.')})", error);
        }
    }

    // The next member's name with the reader on its value, or null after the last one.
    private static string? Next(ref Utf8JsonReader json)
    {
        json.Read();
        if (json.TokenType == JsonTokenType.EndObject) return null;
        string name = json.GetString()!;
        json.Read();
        return name;
    }

    private void ReadMetadata(ref Utf8JsonReader json)
    {
        if (json.TokenType != JsonTokenType.StartObject) throw Error($"{MetadataName} is not an object");
        while (Next(ref json) is { } name)
        {
            if (json.TokenType != JsonTokenType.String) throw Error($"{MetadataName} entry '{name}' is not a string");
            if (!Metadata.TryAdd(name, json.GetString()!)) throw Twice(name);
        }
    }

    private TensorEntry ReadTensor(string name, ref Utf8JsonReader json)
    {
        string? dtype = null;
        long[]? shape = null, range = null;
        if (json.TokenType != JsonTokenType.StartObject) throw Members(name);
        while (Next(ref json) is { } member)
        {
            if (member == "dtype" && dtype is null && json.TokenType == JsonTokenType.String) dtype = json.GetString();
            else if (member == "shape" && shape is null) shape = Integers(name, member, ref json);
            else if (member == "data_offsets" && range is null) range = Integers(name, member, ref json);
            else throw Members(name);
        }

        if (dtype is null || shape is null || range is null) throw Members(name);
        if (range.Length != 2 || range[0] > range[1]) throw Error($"tensor '{name}' has data_offsets that are not [begin, end)");
        return Entry(name, dtype, shape, range[0], range[1] - range[0]);
    }

    // An unsupported type matters only when that tensor is read.
    private TensorEntry Entry(string name, string dtype, long[] shape, long offset, long length)
    {
        ElementType? type = Array.Find(Enum.GetValues<ElementType>(), t => TypeName(t) == dtype) is var found && TypeName(found) == dtype
            ? found : null;
        if (type is { } known) CheckSize(name, known, shape, length);
        return new TensorEntry(name, type, shape, _dataStart + offset, length) { OtherType = type is null ? dtype : null };
    }

    private CheckpointException Twice(string name) => Error($"the header at offset 8 is not valid JSON (it holds '{name}' twice)");

    private CheckpointException Members(string name) =>
        Error($"tensor '{name}' does not have exactly the members dtype, shape and data_offsets");

    private long[] Integers(string name, string member, ref Utf8JsonReader json)
    {
        Span<long> values = stackalloc long[ArrayShape.MaxRank];
        int count = 0;
        bool isList = json.TokenType == JsonTokenType.StartArray;
        while (isList && json.Read() && json.TokenType != JsonTokenType.EndArray && (isList = count < values.Length))
            if (!IsSize(ref json, out values[count++]))
                throw Error($"tensor '{name}' has {Shown(ref json)} in its {member} where a size is expected");
        return isList ? values[..count].ToArray()
            : throw Error($"tensor '{name}' has a {member} that is not an array of at most {ArrayShape.MaxRank} integers");
    }

    private static string Shown(ref Utf8JsonReader json) =>
        System.Text.Encoding.UTF8.GetString(json.ValueSpan[..Math.Min(40, json.ValueSpan.Length)]);

    // Offsets stay far from the end of the range, so that sums of two do not overflow.
    private static bool IsSize(ref Utf8JsonReader json, out long value)
    {
        value = -1;
        return json.TokenType == JsonTokenType.Number && json.TryGetInt64(out value) && value is >= 0 and < long.MaxValue / 2;
    }

    private void CheckSize(string name, ElementType type, long[] shape, long found)
    {
        long? expected = ArrayShape.Bytes(shape, type);
        if (expected is null) throw Error($"tensor '{name}' has the impossible shape {ArrayShape.Text(shape)}");
        if (expected != found)
            throw Error($"tensor '{name}', {TypeName(type)} of shape {ArrayShape.Text(shape)}, needs {expected} bytes and has {found}");
    }

    private void CheckLayout(long fileLength)
    {
        long at = _dataStart;
        foreach (TensorEntry tensor in Tensors.Values.OrderBy(t => t.Offset).ThenBy(t => t.Length))
        {
            if (tensor.Offset != at)
                throw Error($"tensor '{tensor.Name}' begins at byte {tensor.Offset} where the one before ends at {at} (hole or overlap)");
            at = tensor.Offset + tensor.Length;
        }

        if (fileLength < at)
            throw Error($"it ends at byte {fileLength}, {at - fileLength} bytes too early (truncated download or copy?)", "copy it again");
        if (fileLength > at) throw Error($"it has {fileLength - at} bytes after its last tensor, which ends at byte {at}", "copy it again");
    }

    private CheckpointException Error(string what, Exception cause) => Error(_path, what, "save it again", cause);

    private CheckpointException Error(string what, string fix = "save it again") => Error(_path, what, fix);

    private static CheckpointException Error(string path, string what, string fix, Exception? cause = null) =>
        new($"'{path}' is not a sound safetensors file: {what}; {fix}.", cause);
}
