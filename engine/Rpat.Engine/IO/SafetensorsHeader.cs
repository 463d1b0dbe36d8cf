using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Unicode;

namespace Rpat.Engine.IO;

/// <summary>The checked header of a safetensors file. Checked from the outside in: lengths, JSON, each tensor, the layout.</summary>
internal sealed class SafetensorsHeader
{
    internal const string MetadataName = "__metadata__";
    internal const int LengthBytes = 8;
    internal const ulong MaxLength = 100_000_000;

    private static readonly JsonDocumentOptions _json = new() { AllowDuplicateProperties = false };

    private readonly string _path;
    private readonly long _dataStart;

    private SafetensorsHeader(string path, long dataStart) => (_path, _dataStart) = (path, dataStart);

    internal Dictionary<string, string> Metadata { get; } = new(StringComparer.Ordinal);

    internal Dictionary<string, TensorEntry> Tensors { get; } = new(StringComparer.Ordinal);

    internal static SafetensorsHeader Read(FileReader file)
    {
        byte[] text = ReadText(file);
        var header = new SafetensorsHeader(file.Path, LengthBytes + text.Length);
        header.Parse(text);
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

    private void Parse(byte[] text)
    {
        if (text.Length == 0 || text[0] != (byte)'{' || !Utf8.IsValid(text))
            throw Error("the header at offset 8 is not a JSON object in UTF-8");
        try
        {
            using JsonDocument document = JsonDocument.Parse(text, _json);
            foreach (JsonProperty member in document.RootElement.EnumerateObject()) Add(member);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a string with a lone surrogate escape.
            throw Error($"the header at offset 8 is not valid JSON ({error.Message.TrimEnd('.')})", error);
        }
    }

    private void Add(JsonProperty member)
    {
        if (member.Name == MetadataName) AddMetadata(member.Value);
        else Tensors.Add(member.Name, Tensor(member.Name, member.Value));
    }

    private void AddMetadata(JsonElement metadata)
    {
        if (metadata.ValueKind != JsonValueKind.Object) throw Error($"{MetadataName} is not an object");
        foreach (JsonProperty entry in metadata.EnumerateObject())
        {
            if (entry.Value.ValueKind != JsonValueKind.String) throw Error($"{MetadataName} entry '{entry.Name}' is not a string");
            Metadata.Add(entry.Name, entry.Value.GetString()!);
        }
    }

    private TensorEntry Tensor(string name, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object || value.GetPropertyCount() != 3
            || !value.TryGetProperty("dtype", out JsonElement dtype)
            || !value.TryGetProperty("shape", out JsonElement shapeArray)
            || !value.TryGetProperty("data_offsets", out JsonElement offsetArray))
            throw Error($"tensor '{name}' does not have exactly the members dtype, shape and data_offsets");
        ElementType type = Type(name, dtype);
        long[] shape = Integers(name, "shape", shapeArray);
        long[] range = Integers(name, "data_offsets", offsetArray);
        if (range.Length != 2 || range[0] > range[1]) throw Error($"tensor '{name}' has data_offsets that are not [begin, end)");
        CheckSize(name, type, shape, range[1] - range[0]);
        return new TensorEntry(name, type, shape, _dataStart + range[0], range[1] - range[0]);
    }

    private ElementType Type(string name, JsonElement dtype)
    {
        string? text = dtype.ValueKind == JsonValueKind.String ? dtype.GetString() : null;
        foreach (ElementType type in Enum.GetValues<ElementType>())
            if (TypeName(type) == text) return type;
        throw Error($"tensor '{name}' has dtype {dtype.GetRawText()}, which is not supported", "save it as F32");
    }

    private long[] Integers(string name, string member, JsonElement array)
    {
        if (array.ValueKind != JsonValueKind.Array || array.GetArrayLength() > ArrayShape.MaxRank)
            throw Error($"tensor '{name}' has a {member} that is not an array of at most {ArrayShape.MaxRank} integers");
        var values = new long[array.GetArrayLength()];
        for (int i = 0; i < values.Length; i++)
            if (!IsSize(array[i], out values[i]))
                throw Error($"tensor '{name}' has {array[i].GetRawText()} in its {member} where a size is expected");
        return values;
    }

    // Offsets stay far from the end of the range, so that sums of two do not overflow.
    private static bool IsSize(JsonElement number, out long value)
    {
        value = -1;
        return number.ValueKind == JsonValueKind.Number && number.TryGetInt64(out value) && value is >= 0 and < long.MaxValue / 2;
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
