using System.IO.Compression;
using System.IO.MemoryMappedFiles;
using System.Security.Cryptography;

namespace Rpat.Formats.Data;

/// <summary>
/// Labelled images in a .npz file that are read one by one through a memory map and never as a whole: generated images, of which there may
/// be millions. The file has <c>image</c> or <c>images</c>, 8-bit [N, H, W, C] or [N, C, H, W], and <c>label</c> or <c>labels</c>, [N].
/// </summary>
public sealed class MappedImages : IDisposable
{
    private const int LookedAt = 1000;

    private readonly string _path;
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly Member _images, _labels;
    private readonly int _channels, _area;
    private readonly bool _channelsLast;

    private MappedImages(string path, LabeledImages like, Member images, Member labels)
    {
        (_path, _images, _labels, _channels, _area) = (path, images, labels, like.Channels, like.Height * like.Width);
        _channelsLast = Fits(images, [like.Height, like.Width, like.Channels]);
        if (images.Header.Type != ElementType.U8 || !_channelsLast && !Fits(images, [like.Channels, like.Height, like.Width]))
            throw Wrong(images,
                $"8-bit [N, {like.Height}, {like.Width}, {like.Channels}] or [N, {like.Channels}, {like.Height}, {like.Width}], "
                + $"as those of '{like.Name}',");
        if (labels.Header.Type is not (ElementType.I64 or ElementType.I32 or ElementType.U8) || !Fits(labels, [])
            || Size(labels) != Size(images))
            throw Wrong(labels, $"one integer for each of {Size(images)} images");
        if (Size(images) is 0 or > int.MaxValue) throw Wrong(images, "at least one image and at most 2 thousand million");
        _file = MemoryMappedFile.CreateFromFile(RegularFile.Open(path), null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None,
            false);
        _view = _file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        RequireClasses(like.ClassNames.Count);
    }

    /// <summary>The number of images.</summary>
    public int Count => (int)Size(_images);

    private int ImageSize => _channels * _area;

    private int LabelSize => _labels.Header.Type switch { ElementType.I64 => 8, ElementType.I32 => 4, _ => 1 };

    /// <summary>Opens a file of images of the same size and classes as those of a set.</summary>
    /// <exception cref="DataException">It is missing, damaged, compressed, or holds other images.</exception>
    public static MappedImages Open(string path, LabeledImages like)
    {
        using (FileReader.OpenData(path))
        {
            try
            {
                using FileStream file = RegularFile.Open(path);
                using var archive = new ZipArchive(file);
                return new MappedImages(path, like, Find(path, file, archive, "image"),
                    Find(path, file, archive, "label", whole: true));
            }
            catch (Exception error) when (error is InvalidDataException or IOException or NotSupportedException or ArgumentException)
            {
                throw new DataException(
                    $"'{path}' is not a sound .npz file ({error.Message.TrimEnd('.')}): save it again with numpy.savez.", error);
            }
        }
    }

    /// <summary>
    /// A digest by which another file is told apart in a moment: SHA-256, 128 bits, of the file's length, the images' shape, all labels and
    /// a thousand images at equal distances. A change of other images goes unseen.
    /// </summary>
    public string Digest()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(MemoryMarshal.AsBytes<long>([new FileInfo(_path).Length, .. _images.Header.Shape]));
        byte[] labels = new byte[1 << 16], pixels = new byte[ImageSize];
        for (long at = 0, end = Count * (long)LabelSize; at < end; at += labels.Length)
        {
            var part = labels.AsSpan(0, (int)Math.Min(labels.Length, end - at));
            Take(_labels.Start + at, part);
            hash.AppendData(part);
        }
        int looked = Math.Min(Count, LookedAt);
        for (long i = 0; i < looked; i++)
        {
            Take(_images.Start + i * Count / looked * ImageSize, pixels);
            hash.AppendData(pixels);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 16));
    }

    /// <summary>The class of one image.</summary>
    public int Label(int index) => (int)Stored(index);

    private long Stored(int index) => _labels.Header.Type switch
    {
        ElementType.I64 => _view.ReadInt64(_labels.Start + 8L * index),
        ElementType.I32 => _view.ReadInt32(_labels.Start + 4L * index),
        _ => _view.ReadByte(_labels.Start + index),
    };

    /// <summary>Copies the pixels of one image, [channels, height, width].</summary>
    /// <param name="room">As many bytes, for the image as it lies in the file.</param>
    public void Read(int index, Span<byte> pixels, Span<byte> room)
    {
        Take(_images.Start + (long)index * ImageSize, room[..ImageSize]);
        if (!_channelsLast) room[..ImageSize].CopyTo(pixels);
        else
            for (int i = 0; i < ImageSize; i++) pixels[i % _channels * _area + i / _channels] = room[i];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _view.Dispose();
        _file.Dispose();
    }

    private void Take(long start, Span<byte> bytes) =>
        _view.SafeMemoryMappedViewHandle.ReadSpan((ulong)(_view.PointerOffset + start), bytes);

    private void RequireClasses(int classes)
    {
        for (int i = 0; i < Count; i++)
            if (Stored(i) is var label && (label < 0 || label >= classes))
                throw new DataException($"'{_labels.Name}' in '{_path}' has {label} at image {i} where 0 to {classes - 1} are expected: "
                    + "check that the images belong to the data set.");
    }

    // Of images that are read one by one the checksum is not known before all of them are read.
    private static Member Find(string path, FileStream file, ZipArchive archive, string name, bool whole = false)
    {
        var entry = archive.GetEntry(name + Npz.Extension) ?? archive.GetEntry(name + "s" + Npz.Extension)
            ?? throw new DataException($"'{path}' has no array '{name}': save it with numpy.savez(path, image=..., label=...).");
        if (entry.CompressedLength != entry.Length)
            throw new DataException(
                $"'{entry.Name}' in '{path}' is compressed, and cannot be read image by image: save it with numpy.savez.");
        var (header, length, start) = whole ? Unpacking.ReadMember(entry, Header, Unsound) : Begin();
        long bytes = header.Type is { } type ? ArrayShape.Bytes(header.Shape, type) ?? -1 : -1;
        return !header.BigEndian && !header.FortranOrder && length + bytes == entry.Length
            ? new Member(Path.GetFileNameWithoutExtension(entry.Name), header, start)
            : throw new DataException(
            $"'{entry.Name}' in '{path}' is no plain array of little-endian numbers: save it again with numpy.savez.");

        (NpyHeader, long, long) Header(Stream stream)
        {
            var (header, length) = Npy.ReadHeader(stream, $"Array '{name}' in '{path}'");
            return (header, length, file.Position);
        }

        (NpyHeader, long, long) Begin()
        {
            using Stream stream = entry.Open();
            return Header(stream);
        }

        DataException Unsound(string what) => new($"'{path}' is not a sound .npz file ({what}): save it again with numpy.savez.");
    }

    private static long Size(Member member) => member.Header.Shape[0];

    private static bool Fits(Member member, int[] shape) =>
        member.Header.Shape.Length > 0 && member.Header.Shape.AsSpan(1).SequenceEqual(Array.ConvertAll(shape, size => (long)size));

    private DataException Wrong(Member member, string expected) => new(
        $"'{member.Name}' in '{_path}' is {member.Header.NumpyName} {ArrayShape.Text(member.Header.Shape)} where {expected} is "
            + $"expected: convert it.");

    /// <summary>An array of the file, and where its data begin in it.</summary>
    private sealed record Member(string Name, NpyHeader Header, long Start);
}
