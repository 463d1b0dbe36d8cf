using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Rpat.Distributed.Mpi;

/// <summary>
/// Forms the TCP group beside an MPI group: rank 0 broadcasts through MPI where it listens and a random join token, so that nobody has to
/// name a machine or a port.
/// </summary>
internal static unsafe class SideGroup
{
    private const int LongestInvitation = 4096;

    /// <summary>Forms the group; all ranks must call it.</summary>
    /// <exception cref="HandshakeException">Rank 0 cannot listen or be reached, or a process is unlike it.</exception>
    public static TcpProcessGroup Join(MpiCalls mpi, bool isLocal, ProcessGroupOptions options)
    {
        if (mpi.Rank != 0)
        {
            var invitation = Invitation.Read(Broadcast(mpi, ""));
            return TcpProcessGroup.Join(invitation.Reachable(OwnAddresses()), invitation.Port, mpi.Rank, mpi.Size,
                options with { Token = invitation.Token });
        }
        string token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        using var point = new Rendezvous(Place(isLocal), 0);
        Broadcast(mpi, new Invitation(point.Port, token, isLocal ? [] : OwnAddresses()).Text);
        return point.Gather(mpi.Size, options with { Token = token });
    }

    private static IPAddress Place(bool isLocal) =>
        isLocal ? IPAddress.Loopback : Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any;

    private static string Broadcast(MpiCalls mpi, string text)
    {
        byte* bytes = (byte*)NativeMemory.AllocZeroed(LongestInvitation);
        try
        {
            Encoding.UTF8.GetBytes(text, new Span<byte>(bytes, LongestInvitation));
            mpi.Broadcast(bytes, LongestInvitation);
            return Encoding.UTF8.GetString(new ReadOnlySpan<byte>(bytes, LongestInvitation)).TrimEnd('\0');
        }
        finally
        {
            NativeMemory.Free(bytes);
        }
    }

    private static OwnAddress[] OwnAddresses() =>
    [
        .. from card in NetworkInterface.GetAllNetworkInterfaces()
           where card.OperationalStatus == OperationalStatus.Up && card.NetworkInterfaceType != NetworkInterfaceType.Loopback
           from address in card.GetIPProperties().UnicastAddresses
           where !address.Address.IsIPv6LinkLocal
           select new OwnAddress(address.Address, address.PrefixLength),
    ];
}

/// <summary>An address of a machine, and the length of its network's prefix in bits.</summary>
internal readonly record struct OwnAddress(IPAddress Address, int Prefix)
{
    /// <summary>Whether another address is in the same network.</summary>
    public bool Neighbours(IPAddress other)
    {
        byte[] mine = Address.GetAddressBytes(), its = other.GetAddressBytes();
        int prefix = Prefix;
        bool Same(int bit) => ((mine[bit / 8] ^ its[bit / 8]) >> (7 - bit % 8) & 1) == 0;
        return mine.Length == its.Length && Enumerable.Range(0, prefix).All(Same);
    }
}

/// <summary>Where rank 0 listens, and the word that lets its ranks in.</summary>
/// <param name="Addresses">Rank 0's addresses; none for loopback.</param>
internal sealed record Invitation(int Port, string Token, IReadOnlyList<OwnAddress> Addresses)
{
    /// <summary>As one line.</summary>
    public string Text => string.Join(' ', [$"{Port}", Token, .. Addresses.Take(64).Select(own => $"{own.Address}/{own.Prefix}")]);

    /// <summary>Reads <see cref="Text"/>.</summary>
    public static Invitation Read(string text)
    {
        string[] words = text.Split(' ');
        return new Invitation(int.Parse(words[0], CultureInfo.InvariantCulture), words[1], [.. words.Skip(2).Select(word => word.Split('/'))
            .Select(pair => new OwnAddress(IPAddress.Parse(pair[0]), int.Parse(pair[1], CultureInfo.InvariantCulture)))]);
    }

    /// <summary>
    /// The address by which a machine reaches rank 0: one in a network of its own, else any; but not one that it has itself, as two
    /// machines have of their containers' networks, unless it is rank 0's machine.
    /// </summary>
    /// <param name="own">The machine's own addresses.</param>
    public string Reachable(IReadOnlyList<OwnAddress> own)
    {
        IPAddress[] all = [.. Addresses.Select(its => its.Address)];
        IPAddress[] foreign = [.. all.Where(its => own.All(mine => !mine.Address.Equals(its)))];
        return (foreign.FirstOrDefault(its => own.Any(mine => mine.Neighbours(its))) ?? foreign.FirstOrDefault() ?? all.FirstOrDefault()
            ?? IPAddress.Loopback).ToString();
    }
}
