namespace Rpat.Training.Runs;

/// <summary>
/// An append-only file of a run folder. A checkpoint records its length, and resuming truncates it to that length, so that a resumed run
/// leaves the bytes of an uninterrupted one.
/// </summary>
internal sealed class AppendOnlyFile : IDisposable
{
    private readonly FileStream _stream;

    /// <summary>Opens the file at its end; it is made if there is none.</summary>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    public AppendOnlyFile(string path) => _stream = AtomicFile.OpenToGrow(path, FileShare.ReadWrite);

    /// <summary>The file's path.</summary>
    public string Path => _stream.Name;

    /// <summary>Bytes written so far.</summary>
    public long Length => _stream.Length;

    /// <summary>Appends bytes; they have been passed to the system when this returns, and survive the end of the process.</summary>
    /// <exception cref="IOException">The disk is full. A partial write is removed by the next <see cref="TruncateTo"/>.</exception>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        try
        {
            _stream.Write(bytes);
        }
        catch (IOException error)
        {
            throw new IOException($"'{_stream.Name}' cannot be written ({error.Message.TrimEnd('.')}): check that the disk has room.",
                error);
        }
    }

    /// <summary>Flushes to the disk, so that the bytes survive a loss of power.</summary>
    public void FlushToDisk() => _stream.Flush(flushToDisk: true);

    /// <summary>Drops everything after a length.</summary>
    /// <exception cref="IOException">The file is shorter than that, or cannot be changed.</exception>
    public void TruncateTo(long length)
    {
        if (_stream.Length < length)
            throw new IOException(
                $"'{_stream.Name}' has {_stream.Length} bytes where the checkpoint saw {length}: it was changed; put it back, or start "
                    + $"a new run.");
        _stream.SetLength(length);
        _stream.Seek(0, SeekOrigin.End);
    }

    /// <summary>Everything written so far.</summary>
    public byte[] ReadAll()
    {
        var bytes = new byte[_stream.Length];
        _stream.Seek(0, SeekOrigin.Begin);
        _stream.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _stream.Dispose();
}
