using System.Buffers.Binary;

namespace Rpat.Distributed;

/// <summary>
/// What a process says of itself when it has come to the meeting point and proved the join token
/// (<see cref="Handshake"/>): which of its two
/// connections this is, rank, size, then program and configuration, each behind its length.
/// </summary>
internal readonly record struct JoinRequest(bool IsPulse, int Rank, int Size, string Program, string Configuration)
{
    private const int FixedBytes = 9, MostText = 4096;

    public void Send(Connection link)
    {
        Span<byte> head = stackalloc byte[FixedBytes];
        head[0] = (byte)(IsPulse ? 1 : 0);
        BinaryPrimitives.WriteInt32LittleEndian(head[1..], Rank);
        BinaryPrimitives.WriteInt32LittleEndian(head[5..], Size);
        link.SendAll(head);
        foreach (string text in new[] { Program, Configuration }) SendText(link, text);
    }

    /// <summary>Reads a hello.</summary>
    /// <exception cref="StrangerException">It is none that this program would send.</exception>
    /// <exception cref="LinkException">The connection broke, or the link's time is up.</exception>
    public static JoinRequest Receive(Connection link)
    {
        Span<byte> head = stackalloc byte[FixedBytes];
        link.ReceiveAll(head);
        int rank = BinaryPrimitives.ReadInt32LittleEndian(head[1..]), size = BinaryPrimitives.ReadInt32LittleEndian(head[5..]);
        return ReceiveText(link) is { } program && ReceiveText(link) is { } configuration
            ? new(head[0] == 1, rank, size, program, configuration)
            : throw new StrangerException("does not speak as this program does");
    }

    public static void SendText(Connection link, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        if (bytes.Length > MostText) bytes = bytes[..MostText];
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        link.SendAll(length);
        link.SendAll(bytes);
    }

    /// <summary>Null when the length is none that this program would send.</summary>
    public static string? ReceiveText(Connection link)
    {
        Span<byte> head = stackalloc byte[4];
        link.ReceiveAll(head);
        int length = BinaryPrimitives.ReadInt32LittleEndian(head);
        if (length is < 0 or > MostText) return null;
        byte[] bytes = new byte[length];
        link.ReceiveAll(bytes);
        return Encoding.UTF8.GetString(bytes);
    }
}
