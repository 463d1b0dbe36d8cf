namespace Rpat.Formats.Files;

/// <summary>Reads from another stream and counts the bytes read and their CRC-32.</summary>
internal sealed class SumStream(Stream source) : Stream
{
    /// <summary>The checksum so far.</summary>
    internal uint Sum { get; private set; }

    /// <summary>How many bytes were read.</summary>
    internal long Count { get; private set; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(Span<byte> buffer)
    {
        int got = source.Read(buffer);
        Sum = Crc32.Of(buffer[..got], Sum);
        Count += got;
        return got;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) source.Dispose();
        base.Dispose(disposing);
    }
}
