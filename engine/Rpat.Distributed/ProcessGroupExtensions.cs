namespace Rpat.Distributed;

/// <summary>Collectives made of others.</summary>
public static class ProcessGroupExtensions
{
    /// <summary>Gives every process the bytes of rank 0; other ranks' bytes are ignored, and they need not know the length.</summary>
    /// <exception cref="PeerLostException">A process is lost.</exception>
    public static byte[] BroadcastBytes(this IProcessGroup group, byte[] bytes)
    {
        Span<int> length = [bytes.Length];
        group.Broadcast(length);
        byte[] all = group.Rank == 0 ? bytes : new byte[length[0]];
        group.Broadcast(all.AsSpan());
        return all;
    }

    /// <summary>Waits until all processes have reached this call.</summary>
    /// <exception cref="PeerLostException">A process is lost.</exception>
    public static void Barrier(this IProcessGroup group) => group.AllGather<byte>([], []);
}
