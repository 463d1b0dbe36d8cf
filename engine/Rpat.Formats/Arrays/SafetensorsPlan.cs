using System.Buffers.Binary;
using System.Text.Encodings.Web;

namespace Rpat.Formats.Arrays;

/// <summary>What a safetensors file will hold, in the order of its bytes.</summary>
internal sealed class SafetensorsPlan
{
    // Largest alignment first, so that every tensor is naturally aligned without padding between tensors.
    private static readonly ElementType[] _order =
    [
        ElementType.U64, ElementType.I64, ElementType.F64, ElementType.C64, ElementType.F32, ElementType.U32, ElementType.I32,
        ElementType.BF16, ElementType.F16, ElementType.U16, ElementType.I16, ElementType.I8, ElementType.U8, ElementType.Bool,
    ];

    private readonly SortedDictionary<string, string> _metadata = new(StringComparer.Ordinal);
    private readonly NamedArray[] _tensors;
    private readonly bool _digest;

    internal SafetensorsPlan(IEnumerable<NamedArray> tensors, IReadOnlyDictionary<string, string>? metadata, bool digest)
    {
        _digest = digest;
        foreach ((string name, string text) in metadata ?? new Dictionary<string, string>()) _metadata[name] = text;
        _metadata["format"] = "pt";
        if (digest) SafetensorsDigest.Reserve(_metadata);
        NamedArray[] byName = [.. tensors.OrderBy(t => t.Name, StringComparer.Ordinal)];
        CheckNames(byName);
        _tensors = [.. WithoutAliases(byName).OrderBy(t => Array.IndexOf(_order, t.Type))];
    }

    internal void WriteTo(Stream stream)
    {
        byte[] header = Header();
        byte[] length = new byte[SafetensorsHeader.LengthBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
        if (_digest) SafetensorsDigest.Fill(header, [length, header, .. _tensors.Select(tensor => tensor.Data)]);
        stream.Write(length);
        stream.Write(header);
        foreach (NamedArray tensor in _tensors) stream.Write(tensor.Data.Span);
    }

    private static void CheckNames(NamedArray[] byName)
    {
        for (int i = 0; i < byName.Length; i++)
        {
            string name = byName[i].Name;
            if (name == SafetensorsHeader.MetadataName || (i > 0 && name == byName[i - 1].Name))
                throw new ArgumentException($"Tensor name '{name}' is reserved or occurs twice: give every tensor its own name.");
        }
    }

    private List<NamedArray> WithoutAliases(NamedArray[] byName)
    {
        var kept = new List<NamedArray>(byName.Length);
        var owners = new Dictionary<(byte[] Array, int Offset, int Count), NamedArray>();
        foreach (NamedArray tensor in byName)
        {
            if (!tensor.Data.IsEmpty && MemoryMarshal.TryGetArray(tensor.Data, out ArraySegment<byte> memory))
            {
                var key = (memory.Array!, memory.Offset, memory.Count);
                if (!owners.TryAdd(key, tensor) && SameKind(owners[key], tensor))
                {
                    _metadata[tensor.Name] = owners[key].Name;
                    continue;
                }
            }

            kept.Add(tensor);
        }

        return kept;
    }

    private static bool SameKind(NamedArray a, NamedArray b) => a.Type == b.Type && a.Shape.AsSpan().SequenceEqual(b.Shape);

    // Trailing spaces make the data begin at a multiple of 8 in the file.
    private byte[] Header()
    {
        using var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            WriteHeader(json);
        while (text.Length % 8 != 0) text.WriteByte((byte)' ');
        if ((ulong)text.Length > SafetensorsHeader.MaxLength)
            throw new ArgumentException($"A header of {text.Length} bytes passes {SafetensorsHeader.MaxLength}: store less metadata.");
        return text.ToArray();
    }

    private void WriteHeader(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteStartObject(SafetensorsHeader.MetadataName);
        foreach ((string name, string text) in _metadata) json.WriteString(name, text);
        json.WriteEndObject();
        long offset = 0;
        foreach (NamedArray tensor in _tensors) offset = WriteTensor(json, tensor, offset);
        json.WriteEndObject();
    }

    private static long WriteTensor(Utf8JsonWriter json, NamedArray tensor, long begin)
    {
        long end = begin + tensor.Data.Length;
        json.WriteStartObject(tensor.Name);
        json.WriteString("dtype", SafetensorsHeader.TypeName(tensor.Type));
        WriteNumbers(json, "shape", tensor.Shape);
        WriteNumbers(json, "data_offsets", [begin, end]);
        json.WriteEndObject();
        return end;
    }

    private static void WriteNumbers(Utf8JsonWriter json, string name, ReadOnlySpan<long> values)
    {
        json.WriteStartArray(name);
        foreach (long value in values) json.WriteNumberValue(value);
        json.WriteEndArray();
    }
}
