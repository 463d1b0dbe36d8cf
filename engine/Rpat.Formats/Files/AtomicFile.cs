using System.Globalization;
using System.Text;

namespace Rpat.Formats.Files;

/// <summary>
/// Whole-file writes that no reader, crash or full disk ever leaves half-done: the bytes go to <c>NAME.tmp-PID</c> in the
/// same folder, are flushed to the disk, and only then take the place of the old file.
/// </summary>
public static class AtomicFile
{
    private const string Half = ".tmp-";

    private static readonly UTF8Encoding _utf8 = new(encoderShouldEmitUTF8Identifier: false);

    /// <summary>Writes a file as one step; on any failure the old file stays and the temporary one is removed.</summary>
    /// <param name="path">The file to make or replace. Its folder must exist.</param>
    /// <param name="write">Writes the content to the stream it is given; must not close it.</param>
    /// <exception cref="IOException">The folder is missing or not writable, or the disk is full.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        if (Path.GetFileName(path).Length == 0)
            throw new IOException($"'{path}' is a folder: give the name of a file in it.");
        string temporary = FormattableString.Invariant($"{path}{Half}{Environment.ProcessId}");
        try
        {
            WriteFlushed(temporary, write);
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception error)
        {
            RemoveQuietly(temporary);
            if (error is IOException or UnauthorizedAccessException) throw CannotWrite(path, error);
            throw;
        }
    }

    /// <summary>Writes a text file as one step, in UTF-8 without a byte order mark; line ends are written as given.</summary>
    /// <param name="path">The file to make or replace. Its folder must exist.</param>
    /// <param name="text">The whole content.</param>
    /// <exception cref="IOException">The folder is missing or not writable, or the disk is full.</exception>
    public static void WriteText(string path, string text) => Write(path, stream => stream.Write(_utf8.GetBytes(text)));

    /// <summary>Files that a process began to write and has not put in their place, with its number; it may be at work still.</summary>
    /// <param name="folder">Where to look.</param>
    /// <param name="option">Whether beneath it as well.</param>
    /// <exception cref="IOException">The folder cannot be read.</exception>
    public static IEnumerable<(string Path, int Process)> HalfWritten(string folder, SearchOption option = SearchOption.TopDirectoryOnly)
    {
        foreach (string file in Directory.EnumerateFiles(folder, "*" + Half + "*", option))
            if (int.TryParse(file.AsSpan(file.LastIndexOf(Half, StringComparison.Ordinal) + Half.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int process))
                yield return (file, process);
    }

    private static void WriteFlushed(string path, Action<Stream> write)
    {
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 1 << 16);
        write(file);
        file.Flush(flushToDisk: true);
    }

    private static void RemoveQuietly(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The first error is the one to report; a leftover .tmp file is never read.
        }
    }

    private static IOException CannotWrite(string path, Exception error) => new(
        $"'{path}' cannot be written ({error.Message.TrimEnd('.')}): check that its folder exists, is writable and has room.", error);
}
