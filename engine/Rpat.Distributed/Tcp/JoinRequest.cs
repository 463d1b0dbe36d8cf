using System.Buffers.Binary;

namespace Rpat.Distributed.Tcp;

/// <summary>
/// What a process sends after it has proved the join token (<see cref="Handshake"/>): which of its two connections this is, rank, size,
/// then program and configuration, each preceded by its length.
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

    /// <summary>Reads a join request.</summary>
    /// <exception cref="StrangerException">This program would not send it.</exception>
    /// <exception cref="LinkException">The connection broke or timed out.</exception>
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

    /// <summary>Null when the length is one that this program would not send.</summary>
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
