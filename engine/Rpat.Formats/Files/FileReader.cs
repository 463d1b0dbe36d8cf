namespace Rpat.Formats.Files;

/// <summary>
/// Random access to one file of any length, in pieces. <c>fail</c> makes the exceptions, so that a checkpoint's reader and a data
/// reader throw different types.
/// </summary>
internal sealed class FileReader : IDisposable
{
    private readonly FileStream _file;
    private readonly Func<string, Exception?, Exception> _fail;

    private FileReader(string path, FileStream file, Func<string, Exception?, Exception> fail)
    {
        Path = path;
        _file = file;
        _fail = fail;
        Length = file.Length;
    }

    internal string Path { get; }

    internal long Length { get; }

    internal static FileReader Open(string path, Func<string, Exception?, Exception> fail)
    {
        ArgumentNullException.ThrowIfNull(path);
        try
        {
            return new FileReader(path, RegularFile.Open(path), fail);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw fail($"'{path}' does not exist: check the path.", error);
        }
        catch (IOException error)
        {
            throw fail(error.Message, error);
        }
    }

    internal static FileReader OpenData(string path) => Open(path, (message, cause) => new DataException(message, cause));

    internal void ReadExactly(long offset, Span<byte> destination)
    {
        try
        {
            for (int done = 0, got; done < destination.Length; done += got)
            {
                got = RandomAccess.Read(_file.SafeFileHandle, destination[done..], offset + done);
                if (got == 0) throw _fail($"'{Path}' ends at byte {offset + done} while it is being read: copy it again.", null);
            }
        }
        catch (IOException error)
        {
            throw _fail($"'{Path}' cannot be read at byte {offset} ({error.Message.TrimEnd('.')}): copy it again.", error);
        }
    }

    public void Dispose() => _file.Dispose();
}
