using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Rpat.Engine.Distributed;

/// <summary>Where a team meets: rank 0 listens here until all others have come and turned out to be alike.</summary>
public sealed class MeetingPoint : IDisposable
{
    private const int PauseMicroseconds = 50_000, HelloMs = 5000;

    private readonly Socket _listener;
    private Link?[] _data = [];
    private Link?[] _pulse = [];

    /// <summary>Begins to listen.</summary>
    /// <param name="address">Which of this machine's addresses; <see cref="IPAddress.Loopback"/> for processes of this machine only.</param>
    /// <param name="port">The port; 0 for any that is free.</param>
    /// <exception cref="HandshakeException">The port is taken.</exception>
    public MeetingPoint(IPAddress address, int port)
    {
        _listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        if (address.Equals(IPAddress.IPv6Any)) _listener.DualMode = true;
        try
        {
            _listener.Bind(new IPEndPoint(address, port));
            _listener.Listen();
        }
        catch (SocketException error)
        {
            _listener.Dispose();
            throw new HandshakeException($"rank 0 cannot listen at port {port} ({error.Message}): another run may use it; choose another MASTER_PORT.", error);
        }
    }

    /// <summary>The port.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    /// <summary>Waits for all others; this process becomes rank 0.</summary>
    /// <param name="size">The number of processes, this one included.</param>
    /// <param name="options">What all must agree on.</param>
    /// <param name="meanwhile">Called now and then while waiting; what it throws ends the waiting.</param>
    /// <exception cref="HandshakeException">Somebody is missing, or has another program, configuration or size; the others are told the same.</exception>
    public Communicator Gather(int size, TeamOptions options, Action? meanwhile = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        (_data, _pulse) = (new Link?[size], new Link?[size]);
        try
        {
            Await(size, options, meanwhile);
            for (int rank = 1; rank < size; rank++) Hello.SendText(_data[rank]!, "");
            return new Communicator(0, size, [.. _data.OfType<Link>()], [.. _pulse.OfType<Link>()], options.Silence);
        }
        catch (Exception error)
        {
            Dismiss(error is HandshakeException ? error.Message : "rank 0 has given up before all processes had come");
            throw error is LinkException { Peer: var peer } ? new HandshakeException($"rank {peer} has ended before all processes had come: see what it said.", error) : error;
        }
    }

    /// <summary>Stops listening; a team that has met stays together.</summary>
    public void Dispose() => _listener.Dispose();

    private void Await(int size, TeamOptions options, Action? meanwhile)
    {
        long start = Stopwatch.GetTimestamp();
        while (Missing(size) is { Length: > 0 } missing)
        {
            if (Stopwatch.GetElapsedTime(start) > options.Patience)
                throw new HandshakeException(FormattableString.Invariant(
                    $"rank {missing} of {size} processes did not come to port {Port} within {options.Patience.TotalSeconds:0} s: start them all, with the same MASTER_ADDR and MASTER_PORT."));
            meanwhile?.Invoke();
            if (_listener.Poll(PauseMicroseconds, SelectMode.SelectRead)) Receive(_listener.Accept(), size, options);
        }
    }

    private string Missing(int size) => string.Join(", ", Enumerable.Range(1, size - 1)
        .Where(rank => _data[rank] is null || _pulse[rank] is null).Select(rank => rank.ToString(CultureInfo.InvariantCulture)));

    private void Receive(Socket socket, int size, TeamOptions options)
    {
        (socket.NoDelay, socket.ReceiveTimeout) = (true, HelloMs);
        var link = new Link(socket, -1);
        Hello? said = null;
        try
        {
            said = Hello.Receive(link);
        }
        catch (LinkException)
        {
            // A port scan, or a process that died: the one that is awaited will come or be missed.
        }
        if (said is { } hello && hello.Secret == options.Secret) Admit(new Link(socket, hello.Rank), hello, size, options);
        else link.Dispose();
    }

    private void Admit(Link link, in Hello hello, int size, TeamOptions options)
    {
        string? refusal = Refusal(hello, size, options);
        if (refusal is not null)
        {
            Refuse(link, refusal);
            throw new HandshakeException(refusal);
        }
        (hello.IsPulse ? _pulse : _data)[hello.Rank] = link;
    }

    private string? Refusal(in Hello hello, int size, TeamOptions options)
    {
        int rank = hello.Rank;
        if (hello.Size != size) return $"rank {rank} was started as one of {hello.Size} processes and rank 0 as one of {size}: start all with the same number.";
        if (rank <= 0 || rank >= size) return $"a process came as rank {rank} of {size}: ranks go from 0 to {size - 1}, each once.";
        if ((hello.IsPulse ? _pulse : _data)[rank] is not null) return $"two processes came as rank {rank}: each rank may be started once.";
        if (hello.Program != options.Program) return $"rank {rank} runs version {hello.Program} and rank 0 version {options.Program}: use the same program everywhere.";
        return hello.Configuration != options.Configuration
            ? $"rank {rank} has another configuration than rank 0: give all processes the same recipe, files, environment and options."
            : null;
    }

    private void Dismiss(string sentence)
    {
        foreach (var link in _data.OfType<Link>()) Refuse(link, sentence);
        foreach (var link in _pulse.OfType<Link>()) link.Dispose();
    }

    private static void Refuse(Link link, string sentence)
    {
        try
        {
            Hello.SendText(link, sentence);
        }
        catch (LinkException)
        {
            // Whoever is gone needs no answer.
        }
        link.Dispose();
    }
}
