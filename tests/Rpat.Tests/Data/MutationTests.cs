using System.Buffers.Binary;
using System.IO.Compression;
using Rpat.Tests.Golden;
using Rpat.Tests.IO;
using Rpat.Tests.Support;

namespace Rpat.Tests.Data;

/// <summary>
/// Damaged files of every kind of data, from a seed: each is read or refused in one sentence that names it, in a moment and in
/// memory that its size bounds. Where check sums would stop all damage at the door, others get it within sound ones.
/// </summary>
public sealed class MutationTests : IDisposable
{
    private const long MostMemory = 64 << 20;

    private static readonly int _count = Mutants.Count(200);

    private static readonly Dictionary<string, (Func<byte[]> Sound, Func<byte[], byte[]> Pack, Action<string> Read)> _readers = new()
    {
        ["idx"] = (() => Array(pack: false), Same, path => Idx.Read(path)),
        ["idx.gz"] = (() => Array(pack: true), Same, path => Idx.Read(path)),
        ["idx in gz"] = (() => Array(pack: false), Packed, path => Idx.Read(path)),
        ["npy"] = (Npy, Same, path => Rpat.Formats.Arrays.Npy.Read(path)),
        ["npz"] = (() => Zip(Npy()), Same, path => NpzSet.Open(path)),
        ["npy in npz"] = (Npy, Zip, path => NpzSet.Open(path)),
        ["cifar binary"] = (() => new byte[2 * 3073], Same, path => CifarBinary.ReadFile(path, CifarKind.Cifar10)),
        ["cifar protocol 3"] = (() => Hollow("array-3"), hollow => Filled("array-3", hollow), ReadBatch),
        ["cifar protocol 5"] = (() => Hollow("numpy2-array-5"), hollow => Filled("numpy2-array-5", hollow), ReadBatch),
        ["png"] = (() => GoldenPictures.Bytes("file", "png-palette"), Same, path => ImageFiles.Decode(path)),
        ["png with sums"] = (() => GoldenPictures.Bytes("file", "png-palette"), Summed, path => ImageFiles.Decode(path)),
        ["png interlaced"] = (() => GoldenPictures.Bytes("file", "png-interlaced"), Summed, path => ImageFiles.Decode(path)),
        ["jpeg"] = (() => GoldenPictures.Bytes("file", "jpeg-2x2"), Same, path => ImageFiles.Decode(path)),
        ["jpeg restart"] = (() => GoldenPictures.Bytes("file", "jpeg-restart"), Same, path => ImageFiles.Decode(path)),
        ["jpeg progressive"] = (() => GoldenPictures.Bytes("file", "jpeg-2x2-progressive"), Same, path => ImageFiles.Decode(path)),
        ["jpeg ycck"] = (() => GoldenPictures.Bytes("file", "jpeg-ycck"), Same, path => ImageFiles.Decode(path)),
    };

    private readonly TempFolder _folder = new();

    public static TheoryData<string> Kinds => [.. _readers.Keys];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Kinds))]
    public void DamagedFilesAreReadOrRefusedInASentence(string kind)
    {
        var (sound, pack, read) = _readers[kind];
        byte[] whole = sound();
        string path = _folder.Write("mutant", pack(whole));
        Assert.Null(Record.Exception(() => read(path)));
        System.Random random = new(kind.Length);
        int refused = 0;
        for (int i = 0; i < _count; i++)
        {
            _folder.Write("mutant", pack(Mutants.Of(whole, random)));
            if (Try(() => read(path)) is not { } message) continue;
            refused++;
            Assert.Contains(path, message, StringComparison.Ordinal);
            Assert.EndsWith(".", message, StringComparison.Ordinal);
        }

        Assert.InRange(refused, _count / 20, _count);
    }

    // The error's sentence, or null. Only data errors pass.
    private static string? Try(Action read)
    {
        (long before, long start) = (GC.GetAllocatedBytesForCurrentThread(), Stopwatch.GetTimestamp());
        try
        {
            read();
            return null;
        }
        catch (DataException error)
        {
            return error.Message;
        }
        finally
        {
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, MostMemory);
            Assert.InRange(Stopwatch.GetElapsedTime(start), TimeSpan.Zero, TimeSpan.FromSeconds(20));
        }
    }

    private static byte[] Same(byte[] bytes) => bytes;

    private static byte[] Array(bool pack)
    {
        using var stream = new MemoryStream();
        Idx.Write(stream, new NamedArray("a", ElementType.I16, [3, 4, 5], new byte[120]), pack);
        return stream.ToArray();
    }

    private static byte[] Npy() => [.. Rpat.Formats.Arrays.Npy.Header(ElementType.U8, 2, 3, 4, 4), .. new byte[96]];

    private static byte[] Zip(byte[] images)
    {
        using var file = new MemoryStream();
        using (var zip = new ZipArchive(file, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, bytes) in new[] { ("images", images),
                ("labels", [.. Rpat.Formats.Arrays.Npy.Header(ElementType.U8, 2), 0, 1]) })
            {
                using Stream entry = zip.CreateEntry(name + ".npy").Open();
                entry.Write(bytes);
            }
        }

        return file.ToArray();
    }

    private static byte[] Packed(byte[] content)
    {
        using var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(content);
        return stream.ToArray();
    }

    private static void ReadBatch(string path) => CifarPython.ReadFile(path, CifarKind.Cifar10);

    // Batches without their pixels, which nearly all damage would hit.
    private static byte[] Hollow(string form)
    {
        byte[] pickle = GoldenPictures.Bytes("cifar", form);
        int at = PixelsOf(pickle);
        return [.. pickle[..at], .. pickle[(at + 2 * 3072)..]];
    }

    private static byte[] Filled(string form, byte[] hollow)
    {
        byte[] pickle = GoldenPictures.Bytes("cifar", form);
        int at = PixelsOf(pickle), place = Math.Min(at, hollow.Length);
        return [.. hollow[..place], .. pickle[at..(at + 2 * 3072)], .. hollow[place..]];
    }

    private static int PixelsOf(byte[] pickle) => pickle.AsSpan().IndexOf<byte>([0, 31, 62, 93]);

    // Right check sums wherever chunks can still be told apart.
    private static byte[] Summed(byte[] png)
    {
        for (int at = 8; at + 12 <= png.Length;)
        {
            long length = BinaryPrimitives.ReadUInt32BigEndian(png.AsSpan(at));
            if (length > png.Length - at - 12) break;
            BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(at + 8 + (int)length), Crc32.Of(png.AsSpan(at + 4, 4 + (int)length)));
            at += 12 + (int)length;
        }

        return png;
    }
}
