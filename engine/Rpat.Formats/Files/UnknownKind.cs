using System.IO.Compression;

namespace Rpat.Formats.Files;

/// <summary>Says what a file without weights is: usually it is not damaged but something else under that name.</summary>
internal static class UnknownKind
{
    private const string Save = "save the state dict with torch.save or safetensors";

    private static readonly (byte[] Magic, string What)[] _known =
    [
        ([0x89, (byte)'H', (byte)'D', (byte)'F'], "an HDF5 file, as Keras writes: " + Save),
        ([0x89, (byte)'P', (byte)'N', (byte)'G'], "a picture: give a checkpoint, and pictures as the data set folder:DIR"),
        ([0xFF, 0xD8, 0xFF], "a picture: give a checkpoint, and pictures as the data set folder:DIR"),
        ([0x1F, 0x8B], "packed with gzip: unpack it with gunzip (a .tar.gz with 'tar xzf')"),
        ([(byte)'B', (byte)'Z', (byte)'h'], "packed with bzip2: unpack it with bunzip2"),
        ([0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z'], "packed with xz: unpack it with unxz"),
        ([0x28, 0xB5, 0x2F, 0xFD], "packed with zstd: unpack it with unzstd"),
        ([(byte)'7', (byte)'z', 0xBC, 0xAF], "a 7z archive: unpack it and give the file of weights in it"),
        ([(byte)'R', (byte)'a', (byte)'r', (byte)'!'], "a RAR archive: unpack it and give the file of weights in it"),
        ([(byte)'G', (byte)'G', (byte)'U', (byte)'F'], "a GGUF file, which no network here is stored in: " + Save),
    ];

    /// <summary>The error for a zip that is neither a checkpoint nor an archive of arrays, or null when it may be one.</summary>
    public static CheckpointException? OfZip(string path, ZipArchive archive)
    {
        string[] names = [.. archive.Entries.Select(entry => entry.FullName)];
        if (names.Any(name => name.EndsWith("data.pkl", StringComparison.Ordinal))) return null;
        if (names.Any(name => name.EndsWith("serialized_exported_program.json", StringComparison.Ordinal)
            || name.EndsWith("/models/model.json", StringComparison.Ordinal)))
            return new($"'{path}' is an exported program (torch.export), not weights: {Save}.");
        if (names.Any(name => name.EndsWith(".weights.h5", StringComparison.Ordinal))) return new($"'{path}' is a Keras model: {Save}.");
        string? inner = names.FirstOrDefault(name => _weights.Contains(System.IO.Path.GetExtension(name)));
        return inner is null ? null : new($"'{path}' is an archive with '{inner}' in it: unpack it and give that file.");
    }

    private static readonly string[] _weights = [".pt", ".pth", ".ckpt", ".tar", ".safetensors"];

    /// <summary>The error for a file that begins with these bytes.</summary>
    public static CheckpointException Of(string path, ReadOnlySpan<byte> start)
    {
        string text = Encoding.Latin1.GetString(start).TrimStart('\u00EF', '\u00BB', '\u00BF', ' ', '\t', '\r', '\n');
        if (start.IsEmpty) return new($"'{path}' is empty: download or save it again.");
        if (text.StartsWith('<'))
            return new(
                $"'{path}' is a web page, not weights: the download failed, so open its address in a browser and save the file itself.");
        if (text.StartsWith("version https://git-lfs", StringComparison.Ordinal))
            return new($"'{path}' is a Git LFS pointer, not weights: fetch the file itself with 'git lfs pull'.");
        foreach (var (magic, what) in _known)
            if (start.StartsWith(magic)) return new($"'{path}' is {what}.");
        if (start.Length > 4 && start[0] == 0x08 && start[1] < 0x20 && start[2] is 0x12 or 0x3A or 0x42)
            return new(
                $"'{path}' is an ONNX model, which is a program: give the weights that it was exported from (.pt, .pth, "
                + ".safetensors), or measure it by its answers with 'rpat eval blackbox'.");
        return new(
            $"'{path}' begins with 0x{Convert.ToHexString(start[..Math.Min(4, start.Length)])}, which no known kind of weights does: "
            + "give a .safetensors, .pt, .pth, .npz or .npy file.");
    }

    /// <summary>The error for a tensor whose element type is not supported.</summary>
    public static CheckpointException OfElements(string path, string name, string type) =>
        new($"'{path}' holds tensor '{name}' as {type}, a type that cannot be read: save it as F32.");
}
