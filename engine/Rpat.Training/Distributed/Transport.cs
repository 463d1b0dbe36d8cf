using System.Net;
using System.Net.Sockets;

namespace Rpat.Training.Distributed;

/// <summary>What carries values between processes that a launcher has started.</summary>
/// <param name="Mpi">The MPI library; null for TCP.</param>
internal sealed record Transport(ProcessRank Place, ProcessGroupOptions Options, MpiLibrary? Mpi)
{
    private static readonly TimeSpan _refusal = TimeSpan.FromSeconds(30);

    /// <summary>Chooses by <c>run.transport</c>, the launcher, and what this machine has.</summary>
    /// <param name="environment">This process's variables.</param>
    /// <exception cref="HandshakeException">MPI is wanted and cannot be had.</exception>
    public static Transport Choose(TransportKind kind, ProcessRank place, ProcessGroupOptions options,
        IReadOnlyDictionary<string, string> environment)
    {
        bool isWanted = kind == TransportKind.Mpi || kind != TransportKind.Tcp && place.PrefersMpi;
        var library = isWanted ? MpiLibrary.Find(environment.GetValueOrDefault(MpiLibrary.Variable), place.Mpi) : null;
        if (library is null && kind == TransportKind.Mpi)
            throw new HandshakeException(
                $"run.transport is mpi and this machine has no MPI library on the loader's path: name it in {MpiLibrary.Variable}, or put "
                + "its folder on LD_LIBRARY_PATH.");
        return new Transport(place, options, library);
    }

    /// <summary>For people.</summary>
    public string Description => Mpi?.Description
        ?? (Place.Port == 0 ? "TCP" : FormattableString.Invariant($"TCP, meeting at {Place.MeetingHost}:{Place.Port}"));

    /// <summary>A sentence if anybody on the network can join a run; otherwise null.</summary>
    public string? Warning =>
        Mpi is not null || Options.Token.Length > 0 || MeetingAddress.IsLoopback(Place.MeetingHost)
        ? null
        : $"warning: {ProcessGroupSetup.TokenVariable} is not set, so whoever reaches port {Place.Port} of {Place.MeetingHost} can join "
            + "this run: give all processes the same random word.";

    /// <summary>Waits until all processes are there.</summary>
    /// <exception cref="HandshakeException">One is missing or unlike this one, or the launcher belongs to another library.</exception>
    public BackgroundProcessGroup Join()
    {
        if (Mpi is null) return new BackgroundProcessGroup(_ => Tcp());
        var place = new MpiPlace(Place.Launcher, Place.Rank, Place.Size, Place.IsLocal);
        return new BackgroundProcessGroup(abandon => MpiProcessGroup.Join(Mpi, place, Options, abandon));
    }

    /// <summary>Joins the others to tell them that this rank ends with an error: an MPI library would wait for it for ever.</summary>
    public void Refuse(Exception error)
    {
        var report = ErrorReport.Of(error);
        try
        {
            using var group = (this with { Options = Options with { JoinTimeout = _refusal } }).Join();
            group.Fail(report.Code, report.Sentence);
        }
        catch (HandshakeException)
        {
            // They have ended as well.
        }
    }

    private TcpProcessGroup Tcp()
    {
        if (Place.Rank > 0) return TcpProcessGroup.Join(Place.MeetingHost, Place.Port, Place.Rank, Place.Size, Options);
        using var point = new Rendezvous(MeetingAddress.Of(Place.MeetingHost), Place.Port);
        return point.Gather(Place.Size, Options);
    }
}

/// <summary>The address at which rank 0 listens.</summary>
internal static class MeetingAddress
{
    /// <summary>Whether a host is a loopback address, which only this machine's processes can reach.</summary>
    public static bool IsLoopback(string host) =>
        host == "localhost" || IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address);

    /// <summary>Where to listen for processes that connect to a host: on all networks, unless it is a loopback address.</summary>
    public static IPAddress Of(string host)
    {
        if (!IsLoopback(host)) return Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any;
        return IPAddress.TryParse(host, out var address) ? address : IPAddress.Loopback;
    }
}
