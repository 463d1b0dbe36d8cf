using System.Text;

namespace Rpat.Trainer.Runs;

/// <summary>Text files that are either the old or the new one, never a part: written beside, flushed to disk, then renamed.</summary>
internal static class AtomicFile
{
    private static readonly UTF8Encoding _utf8 = new(encoderShouldEmitUTF8Identifier: false);

    /// <summary>Writes a text file as one step, in UTF-8 without a byte order mark.</summary>
    /// <exception cref="IOException">The folder is missing or not writable, or the disk is full.</exception>
    public static void WriteText(string path, string text)
    {
        string temporary = FormattableString.Invariant($"{path}.tmp-{Environment.ProcessId}");
        try
        {
            WriteFlushed(temporary, _utf8.GetBytes(text));
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    private static void WriteFlushed(string path, byte[] content)
    {
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None);
        file.Write(content);
        file.Flush(flushToDisk: true);
    }
}
