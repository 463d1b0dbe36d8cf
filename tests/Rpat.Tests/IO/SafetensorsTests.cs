using System.Buffers.Binary;
using FsCheck;
using FsCheck.Fluent;

namespace Rpat.Tests.IO;

public sealed class SafetensorsTests : IDisposable
{
    // Two tensors: b = I64 scalar 7, a = F32 [1, -2].
    private const string Vector =
        "90000000000000007b225f5f6d657461646174615f5f223a7b22666f726d6174223a227074227d2c2262223a7b226474797065223a22493634222c"
        + "227368617065223a5b5d2c22646174615f6f666673657473223a5b302c385d7d2c2261223a7b226474797065223a22463332222c22736861706522"
        + "3a5b325d2c22646174615f6f666673657473223a5b382c31365d7d7d20202020202007000000000000000000803f000000c0";

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void WritesTheVectorByteForByteInAnyOrder()
    {
        NamedArray a = NamedArray.FromFloats("a", [1f, -2f], 2), b = NamedArray.FromInt64("b", [7]);
        foreach (NamedArray[] order in new[] { new[] { a, b }, [b, a] })
        {
            Safetensors.Write(_folder.File("v"), order);
            Assert.Equal(Vector, Convert.ToHexStringLower(File.ReadAllBytes(_folder.File("v"))));
        }
    }

    [Fact]
    public void ReadsTheVector()
    {
        using SafetensorsFile file = Safetensors.Read(_folder.Write("v", Convert.FromHexString(Vector)));
        Assert.Equal("pt", file.Metadata["format"]);
        Assert.Equal([7L], file.Load("b").ToInt64());
        Assert.Equal([1f, -2f], file.Load("a").ToFloats());
        Assert.Equal([2L], file.Load("a").Shape);
        Assert.Empty(file.Load("b").Shape);
        byte[] second = new byte[4];
        file.ReadBytes("a", 4, second);
        Assert.Equal(-2f, BinaryPrimitives.ReadSingleLittleEndian(second));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.ReadBytes("a", 5, new byte[4]));
    }

    [Fact]
    public void EveryTypeAndShapeSurvives()
    {
        long[][] shapes = [[], [0, 3], [2, 3]];
        NamedArray[] tensors =
        [
            .. from type in Enum.GetValues<ElementType>()
               from shape in shapes
               let size = (int)shape.Aggregate(1L, (a, b) => a * b) * type.Size()
               let data = Enumerable.Range(0, size).Select(i => (byte)i).ToArray()
               select new NamedArray($"{type}.{shape.Length}.{size}", type, shape, data),
        ];
        AssertSurvives(tensors);
    }

    [Fact]
    public void RandomTensorSetsSurvive()
    {
        Gen<NamedArray> tensor =
            from type in Gen.Elements(Enum.GetValues<ElementType>())
            from shape in Gen.ListOf(Gen.Choose(0, 4)).Where(sizes => sizes.Count <= 4)
            let bytes = shape.Aggregate(1, (a, b) => a * b) * type.Size()
            from data in Gen.ArrayOf(Gen.Choose(0, 255), bytes)
            from name in ArbMap.Default.GeneratorFor<NonNull<string>>()
            select new NamedArray(Printable(name.Get), type, [.. shape.Select(s => (long)s)], Array.ConvertAll(data, b => (byte)b));
        Gen<NamedArray[]> sets = Gen.ListOf(tensor).Select(list => list.DistinctBy(t => t.Name).ToArray());
        Prop.ForAll(sets.ToArbitrary(), AssertSurvives).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void DataIsAlignedAndMetadataIsSorted()
    {
        var metadata = new Dictionary<string, string> { ["z"] = "\"quoted\" ü 😀", ["a"] = "", ["format"] = "tf" };
        Safetensors.Write(_folder.File("m"), [NamedArray.FromFloats("x", [1f], 1)], metadata);
        byte[] bytes = File.ReadAllBytes(_folder.File("m"));
        Assert.Equal(0, BinaryPrimitives.ReadInt32LittleEndian(bytes) % 8);
        using SafetensorsFile file = Safetensors.Read(_folder.File("m"));
        Assert.Equal(["a", "format", "z"], file.Metadata.Keys);
        Assert.Equal("pt", file.Metadata["format"]);
        Assert.Equal(metadata["z"], file.Metadata["z"]);
    }

    [Fact]
    public void SharedMemoryIsWrittenOnce()
    {
        byte[] shared = [1, 2, 3, 4];
        NamedArray[] tensors =
        [
            new("tied", ElementType.F32, [1], shared),
            new("first", ElementType.F32, [1], shared),
            new("viewed", ElementType.U8, [4], shared),
        ];
        Safetensors.Write(_folder.File("s"), tensors);
        using SafetensorsFile file = Safetensors.Read(_folder.File("s"));
        Assert.Equal(["first", "viewed"], file.Tensors.Keys);
        Assert.Equal("first", file.Metadata["tied"]);
        Assert.Equal(shared, file.Load("tied").Data.ToArray());
    }

    [Fact]
    public void NamesMustDifferAndNotBeReserved()
    {
        NamedArray a = NamedArray.FromInt64("a", [1]);
        Assert.Throws<ArgumentException>(() => Safetensors.Write(_folder.File("d"), [a, a]));
        Assert.Throws<ArgumentException>(() => Safetensors.Write(_folder.File("d"), [a with { Name = "__metadata__" }]));
        Assert.Empty(Directory.GetFiles(_folder.Root));
    }

    [Fact]
    public void EmptySetSurvives() => AssertSurvives([]);

    [Theory]
    [InlineData("", "header too small")]
    [InlineData("ffffffffffffffff", "header too large")]
    [InlineData("01e1f50500000000", "header too large")]
    [InlineData("0200000000000000ff", "bad header length")]
    [InlineData("0000000000000000", "not a JSON object")]
    [InlineData("02000000000000005b5d", "not a JSON object")]
    [InlineData("03000000000000007bff7d", "not a JSON object")]
    public void BadStartIsRefused(string hex, string part) => AssertRefused(Convert.FromHexString(hex), part);

    [Theory]
    [InlineData("{", "", "not valid JSON")]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},\"a\":1}", "", "not valid JSON")]
    [InlineData("{\"__metadata__\":{},\"__metadata__\":{}}", "", "not valid JSON")]
    [InlineData("{\"__metadata__\":{\"a\":\"\",\"a\":\"\"}}", "", "not valid JSON")]
    [InlineData("{\"\\ud800\":1}", "", "not valid JSON")]
    [InlineData("{\"__metadata__\":[]}", "", "not an object")]
    [InlineData("{\"__metadata__\":{\"k\":1}}", "", "'k' is not a string")]
    [InlineData("{\"a\":5}", "", "'a' does not have exactly")]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"x\":1}}", "0", "'a' does not have exactly")]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"offsets\":[0,1]}}", "0", "'a' does not have exactly")]
    [InlineData("{\"a\":{\"dtype\":7,\"shape\":[1],\"data_offsets\":[0,4]}}", "0000", "'a' does not have exactly")]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"shape\":[-1],\"data_offsets\":[0,1]}}", "0", "-1 in its shape")]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"shape\":[1.5],\"data_offsets\":[0,1]}}", "0", "1.5 in its shape")]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"shape\":\"1\",\"data_offsets\":[0,1]}}", "0", "not an array")]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,0]}}", "0", "[begin, end)")]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0]}}", "0", "[begin, end)")]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,99999999999999999999]}}", "0", "in its data_offsets")]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"shape\":[281474976710656,281474976710656],\"data_offsets\":[0,1]}}", "0", "impossible shape")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", "0000", "needs 8 bytes and has 4")]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}", "00", "hole or overlap")]
    [InlineData(
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
        + "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]}}",
        "000",
        "'b' begins")]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}", "0", "1 bytes too early (truncated download or copy?)")]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}", "000", "1 bytes after its last tensor")]
    public void BadHeaderIsRefused(string header, string data, string part) => AssertRefused(Framed(header, data), part);

    [Theory]
    [InlineData("F8_E4M3", 1)]
    [InlineData("F8_E8M0", 1)]
    [InlineData("F4", 2)]
    [InlineData("f32", 4)]
    [InlineData("U128", 16)]
    public void ATypeThatIsNotKnownHindersNobodyElse(string type, int bytes)
    {
        string header = $"{{\"a\":{{\"dtype\":\"{type}\",\"shape\":[1],\"data_offsets\":[0,{bytes}]}},"
            + $"\"b\":{{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[{bytes},{bytes + 1}]}}}}";
        string path = _folder.Write("t", Framed(header, new string('\u0007', bytes + 1)));
        using SafetensorsFile file = Safetensors.Read(path);
        Assert.Equal([7L], file.Load("b").ToInt64());
        Assert.Contains($"tensor 'a' as {type}", Assert.Throws<CheckpointException>(() => file.Load("a")).Message);
        using WeightFile weights = WeightFile.Open(path);
        Assert.Equal([type.ToLowerInvariant(), "u8"], weights.Tensors.Select(t => t.TypeName));
    }

    /// <summary>One bit of every byte of a small file, so that each of its parts is met.</summary>
    [Fact]
    public void EveryChangedBitIsNoticed()
    {
        NamedArray[] arrays = [NamedArray.FromFloats("net.w", [1, 2, 3], 3), NamedArray.FromInt64("n", [7])];
        Safetensors.Write(_folder.File("whole"), arrays, new Dictionary<string, string>
        { ["step"] = "12 \"rpat.sha256\":\"00\"" }, digest: true);
        byte[] whole = File.ReadAllBytes(_folder.File("whole"));
        Assert.InRange(whole.Length, 300, 800);
        Check(whole);
        for (int at = 0; at < whole.Length; at++)
        {
            byte[] damaged = [.. whole];
            damaged[at] ^= (byte)(1 << at % 8);
            Assert.Throws<CheckpointException>(() => Check(damaged));
        }

        void Check(byte[] content)
        {
            using SafetensorsFile file = Safetensors.Read(_folder.Write("read", content));
            file.CheckDigest();
            Assert.True(file.HasDigest);
        }
    }

    [Fact]
    public void WithoutADigestNothingIsCompared()
    {
        Safetensors.Write(_folder.File("plain"), [NamedArray.FromFloats("w", [1], 1)]);
        using SafetensorsFile file = Safetensors.Read(_folder.File("plain"));
        Assert.False(file.HasDigest);
        file.CheckDigest();
    }

    [Fact]
    public void OrderOfMembersAndTrailingSpacesDoNotMatter()
    {
        const string header =
            "{\"b\":{\"data_offsets\":[1,2],\"shape\":[1],\"dtype\":\"U8\"},"
            + "\"a\":{\"shape\":[1],\"dtype\":\"BOOL\",\"data_offsets\":[0,1]}}   ";
        using SafetensorsFile file = Safetensors.Read(_folder.Write("o", Framed(header, "\u0001\u0005")));
        Assert.Equal([5L], file.Load("b").ToInt64());
    }

    [Fact]
    public void EveryTruncationIsRefused()
    {
        foreach (byte[] cut in TempFolder.Cut(Convert.FromHexString(Vector))) AssertRefused(cut, "'");
    }

    [Fact]
    public void DamagedBytesNeverRaiseAnythingElse()
    {
        byte[] whole = Convert.FromHexString(Vector);
        for (int at = 0; at < 152; at++)
        {
            byte[] damaged = [.. whole];
            damaged[at] ^= 0x15;
            string path = _folder.Write("x", damaged);
            if (Record.Exception(() => Safetensors.Read(path).Dispose()) is { } error) Assert.IsType<CheckpointException>(error);
        }
    }

    [Fact]
    public void MissingFileAndTensorAreNamed()
    {
        string path = _folder.File("none.safetensors");
        Assert.Contains(path, Assert.Throws<CheckpointException>(() => Safetensors.Read(path)).Message, StringComparison.Ordinal);
        Assert.Throws<CheckpointException>(() => Safetensors.Read(_folder.Root));
        using SafetensorsFile file = Safetensors.Read(_folder.Write("v", Convert.FromHexString(Vector)));
        Assert.Contains("'c'", Assert.Throws<CheckpointException>(() => file.Load("c")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FileOfMoreThanTwoGibibytesOpens()
    {
        const long size = 3L << 30;
        byte[] head = Framed(
            $"{{\"big\":{{\"dtype\":\"U8\",\"shape\":[{size}],\"data_offsets\":[0,{size}]}},"
            + $"\"end\":{{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[{size},{size + 1}]}}}}", "");
        string path = _folder.Write("big", head);
        using (FileStream stream = File.OpenWrite(path))
        {
            // A hole: the file takes no room on the disk.
            stream.Position = head.Length + size;
            stream.WriteByte(42);
        }

        using SafetensorsFile file = Safetensors.Read(path);
        Assert.Equal([42L], file.Load("end").ToInt64());
        Assert.Contains("read it in pieces", Assert.Throws<CheckpointException>(() => file.Load("big")).Message, StringComparison.Ordinal);
        byte[] piece = [1, 1];
        file.ReadBytes("big", size - 2, piece);
        Assert.Equal([0, 0], piece);
    }

    private void AssertSurvives(NamedArray[] tensors)
    {
        Safetensors.Write(_folder.File("t"), tensors);
        using SafetensorsFile file = Safetensors.Read(_folder.File("t"));
        Assert.Equal(tensors.Length, file.Tensors.Count);
        foreach (NamedArray tensor in tensors)
        {
            NamedArray read = file.Load(tensor.Name);
            Assert.Equal((tensor.Name, tensor.Type), (read.Name, read.Type));
            Assert.Equal(tensor.Shape, read.Shape);
            Assert.Equal(tensor.Data.ToArray(), read.Data.ToArray());
            Assert.Equal(0, file.Tensors[tensor.Name].Offset % tensor.Type.Size());
        }
    }

    private void AssertRefused(byte[] content, string part)
    {
        string path = _folder.Write("bad", content);
        string message = Assert.Throws<CheckpointException>(() => Safetensors.Read(path)).Message;
        Assert.Contains(part, message, StringComparison.Ordinal);
        Assert.StartsWith($"'{path}'", message, StringComparison.Ordinal);
        Assert.EndsWith(".", message, StringComparison.Ordinal);
    }

    private static byte[] Framed(string header, string data)
    {
        byte[] text = Encoding.UTF8.GetBytes(header);
        byte[] length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, text.Length);
        return [.. length, .. text, .. Encoding.Latin1.GetBytes(data)];
    }

    // Names must be well-formed text to come back equal.
    private static string Printable(string text) => new([.. text.Select(c => char.IsSurrogate(c) ? '?' : c)]);
}
