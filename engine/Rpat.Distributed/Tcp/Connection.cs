using System.Buffers.Binary;
using System.Net.Sockets;

namespace Rpat.Distributed.Tcp;

/// <summary>The connection to another process broke; the heartbeat connection has the reason.</summary>
internal sealed class LinkException(int peer, string message, Exception? cause = null) : IOException(message, cause)
{
    public int Peer { get; } = peer;
}

/// <summary>One connection to another process: whole messages in both directions, without allocations.</summary>
/// <param name="socket">Connected; this object owns it from here on.</param>
internal sealed class Connection(Socket socket, int peer) : IDisposable
{
    private const int HeaderBytes = 16, SmallBytes = 4096;

    private readonly byte[] _small = new byte[HeaderBytes + SmallBytes];
    private long _end = long.MaxValue;

    public int Peer => peer;

    public Socket Socket => socket;

    /// <summary>Sets a deadline for everything received from now on, however slowly it arrives; null removes it.</summary>
    public void Limit(TimeSpan? time)
    {
        _end = time is { } limit ? Stopwatch.GetTimestamp() + (long)(limit.TotalSeconds * Stopwatch.Frequency) : long.MaxValue;
        socket.ReceiveTimeout = 0;
    }

    /// <summary>Sends <c>kind, number, length</c> and the bytes; a small message is sent as one piece.</summary>
    public void Send(byte kind, int number, ReadOnlySpan<byte> bytes)
    {
        _small.AsSpan(0, HeaderBytes).Clear();
        _small[0] = kind;
        BinaryPrimitives.WriteInt32LittleEndian(_small.AsSpan(4), number);
        BinaryPrimitives.WriteInt64LittleEndian(_small.AsSpan(8), bytes.Length);
        int together = bytes.Length <= SmallBytes ? bytes.Length : 0;
        bytes[..together].CopyTo(_small.AsSpan(HeaderBytes));
        SendAll(_small.AsSpan(0, HeaderBytes + together));
        SendAll(bytes[together..]);
    }

    /// <summary>Reads the header of the next message.</summary>
    public (byte Kind, int Number, long Length) ReceiveHeader()
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        ReceiveAll(header);
        return (header[0], BinaryPrimitives.ReadInt32LittleEndian(header[4..]), BinaryPrimitives.ReadInt64LittleEndian(header[8..]));
    }

    public void SendAll(ReadOnlySpan<byte> bytes)
    {
        try
        {
            while (!bytes.IsEmpty) bytes = bytes[socket.Send(bytes)..];
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            throw new LinkException(peer, error.Message, error);
        }
    }

    public void ReceiveAll(Span<byte> bytes)
    {
        try
        {
            while (!bytes.IsEmpty)
            {
                if (_end != long.MaxValue) socket.ReceiveTimeout = TimeLeft();
                int count = socket.Receive(bytes);
                if (count == 0) throw new LinkException(peer, "the connection was closed");
                bytes = bytes[count..];
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            throw new LinkException(peer, error.Message, error);
        }
    }

    private int TimeLeft()
    {
        double left = (_end - Stopwatch.GetTimestamp()) * 1000.0 / Stopwatch.Frequency;
        return left > 0 ? (int)Math.Min(int.MaxValue, Math.Ceiling(left)) : throw new LinkException(peer, "it was too slow");
    }

    /// <summary>Shuts the connection down, which wakes threads that wait for the other side.</summary>
    public void Cut()
    {
        try
        {
            socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // It was cut already, by us or by the other side.
        }
    }

    public void Dispose() => socket.Dispose();
}
