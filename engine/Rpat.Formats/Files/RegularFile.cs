using System.Buffers.Binary;

namespace Rpat.Formats.Files;

/// <summary>
/// Reads small files of unknown content. A pipe, a device or a socket is refused before it is opened, since opening or reading one may
/// never end; a file above the maximum size is refused as well.
/// </summary>
public static partial class RegularFile
{
    private const int CurrentFolder = -100, NoFollow = 0x100, StatxType = 1, StatxLinks = 4, StatxBytes = 256, LinksAt = 16, ModeAt = 28;
    private const int KindMask = 0xF000, Regular = 0x8000, Folder = 0x4000;

    private static readonly UTF8Encoding _strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Whether there is a regular file at a path: no folder, pipe, socket or device.</summary>
    /// <param name="path">The path; never throws, whatever it contains.</param>
    /// <param name="followLink">Whether a link at the path's end counts as its target, or as no file.</param>
    public static bool Exists(string path, bool followLink = true)
    {
        if (path.Contains('\0') || !File.Exists(path)) return false;
        if (!OperatingSystem.IsLinux()) return followLink || new FileInfo(path).LinkTarget is null;
        return Kind(path, followLink) == Regular;
    }

    /// <summary>Whether there is something at a path, over links, that is neither a regular file nor a folder: a device, a pipe.</summary>
    internal static bool IsDevice(string path) =>
        OperatingSystem.IsLinux() && Kind(path, followLink: true) is not (null or Regular or Folder);

    private static int? Kind(string path, bool followLink)
    {
        Span<byte> status = stackalloc byte[StatxBytes];
        int done = Statx(CurrentFolder, path, followLink ? 0 : NoFollow, StatxType, ref MemoryMarshal.GetReference(status));
        return done == 0 ? BinaryPrimitives.ReadUInt16LittleEndian(status[ModeAt..]) & KindMask : null;
    }

    /// <summary>Whether a file has other names (hard links), through which writes to it are visible as well.</summary>
    internal static bool HasOtherNames(string path)
    {
        if (!OperatingSystem.IsLinux()) return false;
        Span<byte> status = stackalloc byte[StatxBytes];
        int done = Statx(CurrentFolder, path, NoFollow, StatxLinks, ref MemoryMarshal.GetReference(status));
        return done == 0 && BinaryPrimitives.ReadUInt32LittleEndian(status[LinksAt..]) > 1;
    }

    /// <summary>Opens a file for reading.</summary>
    /// <exception cref="IOException">There is none, it is not a regular file, or it cannot be read.</exception>
    public static FileStream Open(string path)
    {
        if (Directory.Exists(path)) throw new IOException($"'{path}' is a folder: give a file.");
        if (File.Exists(path) && !Exists(path)) throw new IOException($"'{path}' is no regular file: give a file that lies on a disk.");
        try
        {
            // Delete sharing lets an atomic writer replace the file meanwhile; the handle keeps the old content.
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception error) when (error is UnauthorizedAccessException or ArgumentException
        or (IOException and not (FileNotFoundException or DirectoryNotFoundException)))
        {
            throw new IOException($"'{path}' cannot be read ({error.Message.TrimEnd('.')}): check the path and its permissions.", error);
        }
    }

    /// <summary>Reads a file of at most <paramref name="most"/> bytes.</summary>
    /// <exception cref="IOException">As of <see cref="Open"/>, or it is larger.</exception>
    public static byte[] ReadBytes(string path, int most)
    {
        using FileStream file = Open(path);
        if (file.Length > most) throw new IOException($"'{path}' has {file.Length} bytes where at most {most} belong: check the path.");
        var bytes = new byte[file.Length];
        return bytes[..file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)];
    }

    /// <summary>Reads a text in UTF-8, or in UTF-16 or UTF-32 with a byte order mark.</summary>
    /// <exception cref="IOException">As of <see cref="ReadBytes"/>, or it is not text: invalid UTF-8, or zero
    /// bytes such as a power failure leaves.</exception>
    public static string ReadText(string path, int most)
    {
        using var reader = new StreamReader(new MemoryStream(ReadBytes(path, most)), _strict);
        return Checked(path, Strictly(path, reader.ReadToEnd));
    }

    /// <summary>Reads the lines of a text of any length.</summary>
    /// <exception cref="IOException">As of <see cref="ReadText"/>.</exception>
    public static IReadOnlyList<string> ReadLines(string path)
    {
        using var reader = new StreamReader(Open(path), _strict);
        return Strictly(path, () =>
        {
            List<string> lines = [];
            while (reader.ReadLine() is { } line) lines.Add(Checked(path, line));
            return lines;
        });
    }

    private static string Checked(string path, string text) =>
        text.Contains('\0') ? throw new IOException($"'{path}' holds zero bytes, so it is no text: write it anew.") : text;

    private static T Strictly<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (DecoderFallbackException error)
        {
            throw new IOException($"'{path}' is not UTF-8 text: save it as UTF-8.", error);
        }
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, ref byte status);
}
