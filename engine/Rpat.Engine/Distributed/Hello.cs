using System.Buffers.Binary;
using System.Text;

namespace Rpat.Engine.Distributed;

/// <summary>
/// What a process says of itself when it comes to the meeting point: <c>RPATTEAM</c>, version of the protocol, which of its two connections
/// this is, rank, size, then secret, program and configuration, each behind its length.
/// </summary>
internal readonly record struct Hello(bool IsPulse, int Rank, int Size, string Secret, string Program, string Configuration)
{
    private const byte Protocol = 1;
    private const int FixedBytes = 18, MostText = 4096;

    private static ReadOnlySpan<byte> Magic => "RPATTEAM"u8;

    public void Send(Link link)
    {
        Span<byte> head = stackalloc byte[FixedBytes];
        Magic.CopyTo(head);
        (head[8], head[9]) = (Protocol, (byte)(IsPulse ? 1 : 0));
        BinaryPrimitives.WriteInt32LittleEndian(head[10..], Rank);
        BinaryPrimitives.WriteInt32LittleEndian(head[14..], Size);
        link.SendAll(head);
        foreach (string text in new[] { Secret, Program, Configuration }) SendText(link, text);
    }

    /// <summary>Null when the peer does not speak this protocol.</summary>
    public static Hello? Receive(Link link)
    {
        Span<byte> head = stackalloc byte[FixedBytes];
        link.ReceiveAll(head);
        if (!head.StartsWith(Magic) || head[8] != Protocol) return null;
        int rank = BinaryPrimitives.ReadInt32LittleEndian(head[10..]), size = BinaryPrimitives.ReadInt32LittleEndian(head[14..]);
        string? secret = ReceiveText(link), program = ReceiveText(link), configuration = ReceiveText(link);
        return secret is null || program is null || configuration is null ? null : new(head[9] == 1, rank, size, secret, program, configuration);
    }

    public static void SendText(Link link, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        if (bytes.Length > MostText) bytes = bytes[..MostText];
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        link.SendAll(length);
        link.SendAll(bytes);
    }

    /// <summary>Null when the length is none that this program would send.</summary>
    public static string? ReceiveText(Link link)
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
