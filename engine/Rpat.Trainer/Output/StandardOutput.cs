using System.ComponentModel;

namespace Rpat.Trainer.Output;

/// <summary>
/// The process's stdout. .NET's own treats writing to a pipe whose reader has gone as a success, so that a lost result would count as
/// delivered; this one throws for every byte that the system did not accept.
/// </summary>
internal sealed partial class StandardOutput : Stream
{
    private const int Descriptor = 1, Interrupted = 4;

    // A copy, made before any file is opened: a closed descriptor's number goes to the next file.
    private readonly int _descriptor = Duplicate(Descriptor);

    /// <summary>An unbuffered writer on it.</summary>
    public static TextWriter Writer() => OperatingSystem.IsWindows()
        ? Console.Out
        : new StreamWriter(new StandardOutput(), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)) { AutoFlush = true };

    /// <inheritdoc/>
    public override bool CanRead => false;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            nint written = WriteSome(_descriptor, in MemoryMarshal.GetReference(buffer), buffer.Length);
            int error = Marshal.GetLastPInvokeError();
            if (written < 0 && error != Interrupted) throw new IOException(new Win32Exception(error).Message, error);
            buffer = buffer[(int)Math.Max(0, written)..];
        }
    }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override void Flush()
    {
        // Nothing is buffered.
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    [LibraryImport("libc", EntryPoint = "dup")]
    private static partial int Duplicate(int descriptor);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint WriteSome(int descriptor, in byte bytes, nint count);
}
