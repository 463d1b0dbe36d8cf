using System.IO.Compression;

namespace Rpat.Tests.IO.PyTorch;

/// <summary>Files that were made to hurt: bombs, loops, depth, false lengths, paths.</summary>
public class HostilePickleTests
{
    private static readonly Encoding _raw = Encoding.Latin1;

    [Fact]
    public void Lists_in_lists_in_lists_end_in_an_error() =>
        Refused("nested", Bare(string.Concat(Enumerable.Repeat("(", 1200)) + string.Concat(Enumerable.Repeat("l", 1200))));

    [Fact]
    public void A_list_of_lists_that_doubles_ends_in_an_error()
    {
        // Forty levels of [previous, previous]: a graph of 40 objects and a tree of 2^40.
        string levels = string.Concat(Enumerable.Range(0, 40).Select(_ => "q\u0001]q\u0002h\u0001ah\u0001a"));
        Refused("refer to each other", Bare("]" + levels));
    }

    [Fact]
    public void One_array_under_many_names_is_not_copied_for_each()
    {
        const int bytes = 100_000;
        string size = _raw.GetString(BitConverter.GetBytes(bytes)), array = $"cnumpy._core.numeric\n_frombuffer\n(B{size}{new string('x', bytes)}"
            + $"cnumpy\ndtype\nU\u0002u1\u0089\u0088\u0087RJ{size}\u0085U\u0001CtR";
        Refused("far more than the file's", Bare($"]({array}q\u0001" + string.Concat(Enumerable.Repeat("h\u0001", 10_000)) + "e"));
    }

    [Fact]
    public void A_list_that_holds_itself_ends_in_an_error() => Refused("nested", Bare("]q\u0001h\u0001a"));

    [Fact]
    public void A_length_beyond_the_file_takes_no_memory()
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        Refused("are left", Bare("B\u00FF\u00FF\u00FF\u007F"));
        Refused("are left", Bare("\u008E\u00FF\u00FF\u00FF\u00FF\u00FF\u00FF\u00FF\u007F"));
        Refused("are left", Bare("\u008B\u00FF\u00FF\u00FF\u00FF"));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 << 20);
    }

    [Theory]
    [InlineData("R")]
    [InlineData("h\u0007")]
    [InlineData("t")]
    [InlineData("Na")]
    [InlineData("}(Nu")]
    [InlineData("\u0082\u0001")]
    [InlineData("\u0080\u0009")]
    [InlineData("~")]
    [InlineData("I12x\n")]
    public void Programs_that_make_no_sense_are_refused(string program) => Refused("byte", Bare(program));

    /// <summary>Two hundred thousand bytes of what costs most for its length, bare and in a zip.</summary>
    [Theory]
    [InlineData("]")]
    [InlineData("}")]
    [InlineData("(")]
    [InlineData("N")]
    [InlineData("2")]
    [InlineData("\u0085")]
    [InlineData("\u0094")]
    [InlineData("NNR")]
    [InlineData("(t")]
    [InlineData("(l")]
    [InlineData("(d")]
    [InlineData("U\u0001a")]
    [InlineData("U\0")]
    [InlineData("M\u0000\u0001")]
    [InlineData("I7\n")]
    [InlineData("cx\ny\n")]
    [InlineData("]Na")]
    [InlineData("}NNs")]
    [InlineData("ccollections\nOrderedDict\n)R")]
    [InlineData("\u0094r\u00FF\u00FF\u00FF\u007F")]
    public void What_a_pickle_holds_is_a_small_multiple_of_its_size(string words)
    {
        string program = "N" + string.Concat(Enumerable.Repeat(words, 200_000 / words.Length));
        using TempFolder folder = new();
        foreach (byte[] content in (byte[][])[Bare(program), Zip(program + ".", [])])
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                Checkpoints.ReadAll(folder.File("small"), content);
            }
            catch (CheckpointException)
            {
            }
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 32L * content.Length + (1 << 20));
        }
    }

    [Theory]
    [InlineData("\"@\":\"\"", true)]
    [InlineData("\"@\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}", false)]
    [InlineData("\"@\":{\"dtype\":\"?\",\"shape\":[],\"data_offsets\":[0,0]}", false)]
    [InlineData("\"@\":[[[[[[[[]]]]]]]]", false)]
    [InlineData("\"@\":{\"shape\":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}", false)]
    public void A_header_of_short_words_takes_a_small_multiple_of_its_size(string member, bool inMetadata)
    {
        string members = string.Join(',', Enumerable.Range(0, 5000)
            .Select(i => member.Replace("@", i.ToString("x", System.Globalization.CultureInfo.InvariantCulture))));
        byte[] text = _raw.GetBytes(inMetadata ? "{\"__metadata__\":{" + members + "}}" : "{" + members + "}");
        using TempFolder folder = new();
        long before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            Checkpoints.ReadAll(folder.File("small"), [.. BitConverter.GetBytes((long)text.Length), .. text]);
        }
        catch (CheckpointException)
        {
        }
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 32L * text.Length + (256 << 10));
    }

    [Fact]
    public void A_million_steps_are_bounded() => Refused("steps", Bare(string.Concat(Enumerable.Repeat("N0", 5_000_001))));

    [Fact]
    public void Huge_whole_numbers_are_read_in_no_time()
    {
        using TempFolder folder = new();
        byte[] number = new byte[1 << 20];
        number[^1] = 1;
        byte[] pickle = [0x80, 2, 0x8B, 0, 0, 0x10, 0, .. number, (byte)'.'];
        using WeightFile file = WeightFile.Open(folder.Write("x.pkl", pickle), "");
        Assert.Empty(file.Tensors);
    }

    [Fact]
    public void One_number_shown_as_a_billion_is_refused() =>
        Refused("far more than the file", Zip(Tensor("F", size: "(J\0\0\0\u0040t", strides: "(K\0t", numel: "K\u0001"), new byte[4]));

    [Theory]
    [InlineData("(K\u0002t", "(K\u0001t", "K\u0001", "beyond its storage")]
    [InlineData("(J\u00FF\u00FF\u00FF\u00FFt", "(K\u0001t", "K\u0001", "impossible shape")]
    [InlineData("(K\u0002t", "(J\u00FF\u00FF\u00FF\u00FFt", "K\u0004", "beyond its storage")]
    [InlineData("(K\u0002K\u0002t", "(K\u0001t", "K\u0004", "impossible shape")]
    [InlineData("(K\u0004t", "(K\u0001t", "K\u0064", "are used")]
    public void Tensors_outside_their_storage_are_refused(string size, string strides, string numel, string words) =>
        Refused(words, Zip(Tensor("F", size, strides, numel), new byte[12]));

    [Fact]
    public void Packed_members_that_grow_to_a_thousand_times_are_refused()
    {
        using var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        using (Stream member = zip.CreateEntry("a/data.pkl", CompressionLevel.Optimal).Open())
            member.Write(new byte[10 << 20]);
        Refused("times its size", stream.ToArray());
    }

    [Fact]
    public void An_npz_that_unpacks_to_a_thousand_times_its_size_is_refused()
    {
        using TempFolder folder = new();
        Npz.Write(folder.File("bomb.npz"), [NamedArray.FromFloats("w", new float[4 << 20], 4 << 20)]);
        Assert.Contains("times its size", Assert.Throws<CheckpointException>(() => Load(folder.File("bomb.npz"), "w")).Message);
    }

    /// <summary>Bombs are refused where they would go off: a network that lies beside one is read.</summary>
    [Fact]
    public void A_bomb_beside_the_weights_harms_only_who_reads_it()
    {
        using TempFolder folder = new();
        string npz = folder.File("beside.npz");
        Npz.Write(npz, [NamedArray.FromFloats("w", [1, 2], 2), NamedArray.FromFloats("bomb", new float[4 << 20], 4 << 20)]);
        Assert.Equal([1f, 2f], Load(npz, "w").ToFloats());
        Assert.Contains("times its size", Assert.Throws<CheckpointException>(() => Load(npz, "bomb")).Message);
        string one = Tensor("F", "(K\u0001t", "(K\u0001t", "K\u0001")[1..^1], // U1w … s
            shown = Tensor("F", "(J\0\0\0\u0040t", "(K\0t", "K\u0001")[3..^2],
            endless = Tensor("F", "(\u008A\u0007\0\0\0\0\0\0\u0002t", "(K\0t", "K\u0001")[3..^2],
            sparse = "ctorch._utils\n_rebuild_sparse_tensor\n(N(NN(K\u0003K\u0004tttR";
        string pt = folder.Write("beside.pt", Zip($"}}{one}U\u0001b{shown[1..]}sU\u0001c{endless[1..]}sU\u0001d{sparse}s.",
            BitConverter.GetBytes(7f)));
        Assert.Equal([7f], Load(pt, "w").ToFloats());
        Assert.Contains("far more than the file", Assert.Throws<CheckpointException>(() => Load(pt, "b")).Message);
        Assert.Contains("cannot be read", Assert.Throws<CheckpointException>(() => Load(pt, "c")).Message);
        Assert.Contains("'d' as a sparse layout", Assert.Throws<CheckpointException>(() => Load(pt, "d")).Message);
    }

    private static NamedArray Load(string path, string name)
    {
        using WeightFile file = WeightFile.Open(path);
        return file.Load(name);
    }

    [Fact]
    public void Keys_that_are_paths_lead_nowhere() =>
        Refused("missing", Zip(Tensor("F", "(K\u0001t", "(K\u0001t", "K\u0001", key: "../../../etc/passwd"), new byte[4]));

    [Fact]
    public void A_zip_without_a_checkpoint_is_refused() => Refused("0 members 'data.pkl'", Zip(null, new byte[4]));

    [Fact]
    public void Big_endian_files_are_refused() => Refused("big-endian", Zip("}.", [], byteOrder: "big"));

    private static byte[] Bare(string program) => [0x80, 2, .. _raw.GetBytes(program), (byte)'.'];

    // {'w': _rebuild_tensor_v2(storage '0', 0, size, strides, False, {})}
    private static string Tensor(string kind, string size, string strides, string numel, string key = "0") =>
        $"}}U\u0001wctorch._utils\n_rebuild_tensor_v2\n((U\u0007storagectorch\n{(kind == "F" ? "FloatStorage" : kind)}\nU{(char)key.Length}{key}U\u0003cpu{numel}tQK\0{size}{strides}\u0089}}tRs.";

    private static byte[] Zip(string? program, byte[] storage, string byteOrder = "little")
    {
        using var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            if (program is not null) Add(zip, "a/data.pkl", [0x80, 2, .. _raw.GetBytes(program)]);
            Add(zip, "a/byteorder", _raw.GetBytes(byteOrder));
            Add(zip, "a/data/0", storage);
        }
        return stream.ToArray();
    }

    private static void Add(ZipArchive zip, string name, byte[] content)
    {
        using Stream member = zip.CreateEntry(name, CompressionLevel.NoCompression).Open();
        member.Write(content);
    }

    private static void Refused(string words, byte[] content)
    {
        using TempFolder folder = new();
        string message = Assert.Throws<CheckpointException>(() => Checkpoints.ReadAll(folder.File("hostile"), content)).Message;
        Assert.Contains(words, message);
        Assert.Contains(folder.File("hostile"), message);
    }
}
