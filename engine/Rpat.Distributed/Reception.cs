using System.Net;
using System.Net.Sockets;

namespace Rpat.Distributed;

/// <summary>
/// Hears whoever connects to a meeting point, all side by side, each within one time limit. Of too many at once the one that came first is
/// sent away: a process of the team needs a moment only.
/// </summary>
/// <param name="limit">The longest time from connecting to the end of a hello.</param>
/// <param name="most">Connections that may be open at once without having said who they are.</param>
internal sealed class Reception(string token, TimeSpan limit, int most) : IDisposable
{
    private readonly List<Visit> _open = [];

    /// <summary>Begins to hear a connection.</summary>
    public void Hear(Socket socket)
    {
        if (_open.Count >= most) _open[0].Socket.Dispose(); // which ends its hearing
        var address = (socket.RemoteEndPoint as IPEndPoint)?.Address ?? IPAddress.None;
        (socket.NoDelay, socket.SendTimeout) = (true, (int)limit.TotalMilliseconds);
        // A thread each: a socket that was ever used without blocking stays slow and allocates.
        var answer = Task.Factory.StartNew(
            () => Answer(socket), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        _open.Add(new Visit(socket, address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address, answer));
    }

    /// <summary>Those that have been heard since this was last called.</summary>
    public List<Visit> Heard()
    {
        var heard = _open.FindAll(visit => visit.Answer.IsCompleted);
        _open.RemoveAll(heard.Contains);
        return heard;
    }

    /// <summary>Sends away whoever has not been heard yet.</summary>
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

    /// <summary>Somebody who has come.</summary>
    /// <param name="Address">From where.</param>
    public sealed record Visit(Socket Socket, IPAddress Address, Task<(JoinRequest? Hello, string Why)> Answer);
}
