using System.IO.Compression;
using Rpat.Tests.IO.PyTorch;

namespace Rpat.Tests.IO;

public class TorchFileTests
{
    private static readonly NamedArray[] _tensors =
    [
        NamedArray.FromFloats("conv1.weight", [1, -2, float.NaN, float.PositiveInfinity, 0, -0f], 1, 2, 3, 1),
        NamedArray.FromInt64("bn.num_batches_tracked", [1L << 40]), NamedArray.FromFloats("empty", [], 0, 3),
        new("half", ElementType.F16, [2], new byte[] { 1, 2, 3, 4 }), new("brain", ElementType.BF16, [1], new byte[] { 1, 2 }),
        new("flag", ElementType.Bool, [1], new byte[] { 1 }), new("wide", ElementType.F64, [1], new byte[8]),
    ];

    /// <summary>Zips keep their sums, sizes and names twice: some bits tell nothing, none may change a number.</summary>
    [Fact]
    public void Changed_bits_never_change_a_number()
    {
        using TempFolder folder = new();
        NamedArray array = NamedArray.FromFloats("w", [.. Enumerable.Range(0, 64).Select(i => i / 3f)], 8, 8);
        TorchFile.Write(folder.File("whole.pt"), [array]);
        byte[] whole = File.ReadAllBytes(folder.File("whole.pt"));
        int refused = 0;
        for (int at = 0; at < whole.Length; at += 3)
        {
            byte[] damaged = [.. whole];
            damaged[at] ^= (byte)(1 << at % 8);
            try
            {
                using WeightFile file = WeightFile.Open(folder.Write("damaged.pt", damaged));
                Assert.True(array.Data.Span.SequenceEqual(file.Load("w").Data.Span), $"byte {at}");
            }
            catch (CheckpointException)
            {
                refused++;
            }
        }
        Assert.InRange(refused, whole.Length / 6, whole.Length / 3);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Packed_members_and_members_without_a_sum_are_read(bool packed)
    {
        using TempFolder folder = new();
        NamedArray array = NamedArray.FromFloats("w", [.. Enumerable.Range(0, 64).Select(i => i / 3f)], 8, 8);
        TorchFile.Write(folder.File("plain.pt"), [array]);
        if (packed) Repack(folder.File("plain.pt"), folder.File("other.pt"));
        else File.WriteAllBytes(folder.File("other.pt"), WithoutSums(File.ReadAllBytes(folder.File("plain.pt"))));
        using WeightFile file = WeightFile.Open(folder.File("other.pt"));
        Assert.True(array.Data.Span.SequenceEqual(file.Load("w").Data.Span));
    }

    private static void Repack(string from, string to)
    {
        using ZipArchive plain = ZipFile.OpenRead(from), packed = ZipFile.Open(to, ZipArchiveMode.Create);
        foreach (ZipArchiveEntry entry in plain.Entries)
        {
            using Stream source = entry.Open(), target = packed.CreateEntry(entry.FullName, CompressionLevel.Optimal).Open();
            source.CopyTo(target);
        }
    }

    // The directory's sums stand 16 bytes behind each "PK 1 2".
    private static byte[] WithoutSums(byte[] zip)
    {
        for (int at = 0; zip.AsSpan(at).IndexOf("PK\x01\x02"u8) is >= 0 and var next;) zip.AsSpan((at += next + 16), 4).Clear();
        return zip;
    }

    [Fact]
    public void What_was_written_is_read_again_in_its_order()
    {
        using TempFolder folder = new();
        TorchFile.Write(folder.File("net.pt"), _tensors);
        using WeightFile file = WeightFile.Open(folder.File("net.pt"));
        Assert.Equal(_tensors.Select(t => t.Name), file.Tensors.Select(t => t.Name));
        Assert.All(_tensors, tensor =>
        {
            NamedArray found = file.Load(tensor.Name);
            Assert.Equal((tensor.Type, tensor.Shape), (found.Type, found.Shape), Same);
            Assert.True(tensor.Data.Span.SequenceEqual(found.Data.Span));
        });
        Assert.Empty(file.Notes);
    }

    [Theory]
    [InlineData("views.pt")]
    [InlineData("kinds.pt")]
    [InlineData("module.pt")]
    public void PyTorchs_tensors_survive_the_way_there_and_back(string name)
    {
        using TempFolder folder = new();
        using WeightFile original = WeightFile.Open(Checkpoints.PathOf(name));
        NamedArray[] tensors = [.. original.Tensors.Select(entry => original.Load(entry.Name))];
        TorchFile.Write(folder.File("copy.pt"), tensors);
        using WeightFile copy = WeightFile.Open(folder.File("copy.pt"));
        Assert.All(tensors, tensor => Assert.True(tensor.Data.Span.SequenceEqual(copy.Load(tensor.Name).Data.Span)));
    }

    [Fact]
    public void The_same_tensors_give_the_same_bytes_and_nothing_is_packed()
    {
        using TempFolder folder = new();
        TorchFile.Write(folder.File("a.pt"), _tensors);
        TorchFile.Write(folder.File("b.pt"), _tensors);
        Assert.Equal(File.ReadAllBytes(folder.File("a.pt")), File.ReadAllBytes(folder.File("b.pt")));
        using ZipArchive zip = ZipFile.OpenRead(folder.File("a.pt"));
        Assert.All(zip.Entries, entry => Assert.Equal(entry.Length, entry.CompressedLength));
        Assert.Equal(["archive/data.pkl", "archive/byteorder"], zip.Entries.Take(2).Select(e => e.FullName));
    }

    [Fact]
    public void Kinds_that_PyTorch_cannot_store_and_double_names_are_refused()
    {
        using TempFolder folder = new();
        Assert.Throws<ArgumentException>(() => TorchFile.Write(folder.File("a.pt"), [new("u", ElementType.U32, [1], new byte[4])]));
        Assert.Throws<ArgumentException>(() => TorchFile.Write(folder.File("a.pt"), [_tensors[0], _tensors[0]]));
        Assert.Empty(Directory.GetFiles(folder.Root));
    }

    private static bool Same((ElementType Type, long[] Shape) a, (ElementType Type, long[] Shape) b) =>
        a.Type == b.Type && a.Shape.SequenceEqual(b.Shape);
}
