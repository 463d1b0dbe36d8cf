using System.Net;
using System.Net.Sockets;

namespace Rpat.Training.Distributed;

/// <summary>Which of its addresses rank 0 listens at.</summary>
internal static class MeetingAddress
{
    /// <summary>Whether a host is this machine as only its own processes can reach it.</summary>
    public static bool IsLoopback(string host) => host == "localhost" || IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address);

    /// <summary>Where to listen for processes that are told to come to a host: all networks, unless it is this machine's own.</summary>
    public static IPAddress Of(string host)
    {
        if (!IsLoopback(host)) return Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any;
        return IPAddress.TryParse(host, out var address) ? address : IPAddress.Loopback;
    }
}
