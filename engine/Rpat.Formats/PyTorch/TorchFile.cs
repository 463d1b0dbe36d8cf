using System.IO.Compression;

namespace Rpat.Formats.PyTorch;

/// <summary>
/// Writes PyTorch checkpoints: the zip format with a plain state dict, which <c>torch.load</c> also reads with <c>weights_only=True</c>.
/// They are read through <see cref="WeightFile"/>.
/// </summary>
public static class TorchFile
{
    private const string Folder = "archive/";

    // The earliest time that a zip entry can hold; the real time would make files of equal contents differ.
    private static readonly DateTimeOffset _noTime = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Writes a state dict atomically; the same tensors in the same order give the same bytes.</summary>
    /// <param name="path">The file to make or replace.</param>
    /// <param name="tensors">The tensors in the order in which to store them; names must differ.</param>
    /// <exception cref="ArgumentException">A name occurs twice, or PyTorch has no storage for an element type.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, IEnumerable<NamedArray> tensors)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        NamedArray[] all = [.. tensors];
        if (all.Select(t => t.Name).Distinct(StringComparer.Ordinal).Count() != all.Length)
            throw new ArgumentException("Two tensors of a checkpoint have the same name: give every tensor its own name.", nameof(tensors));
        byte[] graph = Graph(all);
        AtomicFile.Write(path, stream =>
        {
            using var archive = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true);
            Add(archive, "data.pkl", graph);
            Add(archive, "byteorder", Encoding.ASCII.GetBytes("little"));
            for (int i = 0; i < all.Length; i++) Add(archive, "data/" + Number(i), all[i].Data.Span);
            Add(archive, "version", Encoding.ASCII.GetBytes("3\n"));
        });
    }

    private static byte[] Graph(NamedArray[] tensors)
    {
        var pickle = new PickleWriter();
        pickle.EmptyOrderedDict();
        pickle.Mark();
        for (int i = 0; i < tensors.Length; i++)
        {
            pickle.Text(tensors[i].Name);
            Tensor(pickle, tensors[i], Number(i));
        }
        pickle.SetItems();
        return pickle.Finish();
    }

    // _rebuild_tensor_v2(storage, offset 0, size, row-major stride, requires_grad False, no hooks)
    private static void Tensor(PickleWriter pickle, NamedArray tensor, string key)
    {
        pickle.Global("torch._utils", "_rebuild_tensor_v2");
        pickle.Mark();
        Storage(pickle, tensor, key);
        pickle.Whole(0);
        pickle.Sizes(tensor.Shape);
        pickle.Sizes(RowMajor(tensor.Shape));
        pickle.False();
        pickle.EmptyOrderedDict();
        pickle.Tuple();
        pickle.Reduce();
    }

    private static void Storage(PickleWriter pickle, NamedArray tensor, string key)
    {
        pickle.Mark();
        pickle.Text("storage");
        pickle.Global("torch", TorchTypes.StorageOf(tensor.Type));
        pickle.Text(key);
        pickle.Text("cpu");
        pickle.Whole(tensor.Count);
        pickle.Tuple();
        pickle.PersistentId();
    }

    private static long[] RowMajor(long[] shape)
    {
        var strides = new long[shape.Length];
        long stride = 1;
        for (int axis = shape.Length - 1; axis >= 0; stride *= Math.Max(1, shape[axis--])) strides[axis] = stride;
        return strides;
    }

    private static string Number(int i) => i.ToString(CultureInfo.InvariantCulture);

    private static void Add(ZipArchive archive, string name, ReadOnlySpan<byte> content)
    {
        ZipArchiveEntry entry = archive.CreateEntry(Folder + name, CompressionLevel.NoCompression);
        entry.LastWriteTime = _noTime;
        using Stream stream = entry.Open();
        stream.Write(content);
    }
}
