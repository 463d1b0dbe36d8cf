using System.Net;
using System.Net.Sockets;

namespace Rpat.Distributed.Tcp;

/// <summary>
/// Handles all new connections of a rendezvous concurrently, each within one time limit. When too many are open, the oldest is closed: a
/// process of the group needs only a moment.
/// </summary>
/// <param name="limit">The longest time from connecting to the end of a join request.</param>
/// <param name="most">Connections that may be open at once without having sent a join request.</param>
internal sealed class Reception(string token, TimeSpan limit, int most) : IDisposable
{
    private static readonly TimeSpan _parting = TimeSpan.FromMilliseconds(500);

    private readonly List<Visit> _open = [];

    /// <summary>Starts the handshake of a connection.</summary>
    public void Hear(Socket socket)
    {
        if (_open.Count >= most) _open[0].Socket.Dispose(); // which ends its handshake
        var address = (socket.RemoteEndPoint as IPEndPoint)?.Address ?? IPAddress.None;
        (socket.NoDelay, socket.SendTimeout) = (true, (int)limit.TotalMilliseconds);
        // One thread each: a socket that has ever been used in non-blocking mode stays slow and allocates.
        var answer = Task.Factory.StartNew(
            () => Answer(socket), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        _open.Add(new Visit(socket, address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address, answer));
    }

    /// <summary>A connection whose handshake has ended, each once; null if there is none.</summary>
    public Visit? Next()
    {
        var visit = _open.Find(visit => visit.Answer.IsCompleted);
        if (visit is not null) _open.Remove(visit);
        return visit;
    }

    /// <summary>Gives the reason to processes that are about to send, or have sent, their join request.</summary>
    public void Refuse(string sentence)
    {
        foreach (var visit in _open)
            if (visit.Answer.Wait(_parting) && visit.Answer.Result.Hello is { } hello)
                Rendezvous.Refuse(new Connection(visit.Socket, hello.Rank), sentence);
    }

    /// <summary>Closes all connections whose handshakes have not ended.</summary>
    public void Dispose() => _open.ForEach(visit => visit.Socket.Dispose());

    private (JoinRequest? Hello, string Why) Answer(Socket socket)
    {
        try
        {
            var link = new Connection(socket, 0);
            link.Limit(limit);
            return (Handshake.Answer(link, token), "");
        }
        catch (StrangerException stranger)
        {
            return (null, $"it {stranger.Message}");
        }
        catch (Exception broken) when (broken is LinkException or SocketException or ObjectDisposedException)
        {
            return (null, "it did not say in time who it is");
        }
    }

    /// <summary>A new connection.</summary>
    /// <param name="Address">The peer's address.</param>
    public sealed record Visit(Socket Socket, IPAddress Address, Task<(JoinRequest? Hello, string Why)> Answer);
}
