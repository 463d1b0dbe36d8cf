using System.Net;
using System.Net.Sockets;

namespace Rpat.Distributed.Tcp;

/// <summary>Where a group forms: rank 0 listens here until all other processes have joined with matching settings.</summary>
public sealed class Rendezvous : IDisposable
{
    private const int PauseMicroseconds = 10_000, MostStrangers = 64, MostNotes = 16;

    // How long rank 0 still waits for the right process after a mismatched one, when no token tells whose process that was.
    private static readonly TimeSpan _correction = TimeSpan.FromSeconds(20);

    private readonly Socket _listener;
    private Connection?[] _data = [];
    private Connection?[] _pulse = [];
    private readonly HashSet<IPAddress> _noted = [];
    private string? _unlike;
    private long _unlikeSince;

    /// <summary>Starts listening.</summary>
    /// <param name="address">Which of this machine's addresses; <see cref="IPAddress.Loopback"/> for processes of this machine
    /// only.</param>
    /// <param name="port">The port; 0 for any free one.</param>
    /// <exception cref="HandshakeException">The port is taken.</exception>
    public Rendezvous(IPAddress address, int port)
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
            throw new HandshakeException(
                $"rank 0 cannot listen at port {port} ({error.Message}): another run may use it; choose another MASTER_PORT.", error);
        }
    }

    /// <summary>The longest time that a connection may take to send its join request.</summary>
    internal TimeSpan HelloLimit { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The port.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    /// <summary>Waits for all others; this process becomes rank 0.</summary>
    /// <param name="size">The number of processes, this one included.</param>
    /// <param name="options">What all must agree on.</param>
    /// <param name="meanwhile">Called periodically while waiting; an exception from it ends the wait.</param>
    /// <exception cref="HandshakeException">A process is missing, or has another program, configuration or size; the others receive the
    /// same message.</exception>
    public TcpProcessGroup Gather(int size, ProcessGroupOptions options, Action? meanwhile = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        (_data, _pulse) = (new Connection?[size], new Connection?[size]);
        try
        {
            Await(size, options, meanwhile);
            for (int rank = 1; rank < size; rank++) JoinRequest.SendText(_data[rank]!, "");
            return new TcpProcessGroup(0, size, [.. _data.OfType<Connection>()], [.. _pulse.OfType<Connection>()], options);
        }
        catch (Exception error)
        {
            _listener.Dispose(); // connections that are still queued fail at once
            Dismiss(error is HandshakeException ? error.Message : "rank 0 has given up before all processes had come");
            throw error is LinkException { Peer: var peer }
                ? new HandshakeException($"rank {peer} has ended before all processes had come: see what it said.", error) : error;
        }
    }

    /// <summary>Stops listening; a group that has formed stays connected.</summary>
    public void Dispose() => _listener.Dispose();

    private void Await(int size, ProcessGroupOptions options, Action? meanwhile)
    {
        using var reception = new Reception(options.Token, HelloLimit, 2 * size + MostStrangers);
        try
        {
            Await(reception, size, options, meanwhile);
        }
        catch (HandshakeException error)
        {
            reception.Refuse(error.Message); // a process has two connections: the other may have been refused first
            throw;
        }
    }

    private void Await(Reception reception, int size, ProcessGroupOptions options, Action? meanwhile)
    {
        long start = Stopwatch.GetTimestamp();
        while (Missing(size) is { Length: > 0 } missing)
        {
            if (Stopwatch.GetElapsedTime(start) > options.JoinTimeout)
                throw new HandshakeException(FormattableString.Invariant(
                    $"rank {missing} of {size} processes did not come to port {Port} within {options.JoinTimeout.TotalSeconds:0} s: start them all, with the same MASTER_ADDR and MASTER_PORT."));
            if (_unlike is not null && Stopwatch.GetElapsedTime(_unlikeSince) > _correction) throw new HandshakeException(_unlike);
            meanwhile?.Invoke();
            if (_listener.Poll(PauseMicroseconds, SelectMode.SelectRead)) Accept(reception);
            while (reception.Next() is { } visit) Receive(visit, size, options);
        }
    }

    // A connection may be gone before it is accepted, and this process may be out of handles for now.
    private void Accept(Reception reception)
    {
        try
        {
            reception.Hear(_listener.Accept());
        }
        catch (SocketException)
        {
            Thread.Sleep(PauseMicroseconds / 1000);
        }
    }

    private string Missing(int size) => string.Join(", ", Enumerable.Range(1, size - 1)
        .Where(rank => _data[rank] is null || _pulse[rank] is null).Select(rank => rank.ToString(CultureInfo.InvariantCulture)));

    private void Receive(Reception.Visit visit, int size, ProcessGroupOptions options)
    {
        var (said, why) = visit.Answer.GetAwaiter().GetResult();
        if (said is { } hello)
        {
            Admit(visit, hello, size, options);
            return;
        }
        visit.Socket.Dispose();
        Note(visit.Address, why, options);
    }

    private void Admit(Reception.Visit visit, JoinRequest hello, int size, ProcessGroupOptions options)
    {
        var link = new Connection(visit.Socket, hello.Rank);
        if (Refusal.Of(hello, size, IsThere, options) is not { } refusal) (hello.IsPulse ? _pulse : _data)[hello.Rank] = link;
        else if (options.Token.Length == 0) RefuseAnybody(visit.Address, link, refusal, options);
        else
        {
            Refuse(link, refusal.Sentence);
            throw new HandshakeException(refusal.Sentence);
        }
    }

    // Without a token this may be a process of another run.
    private void RefuseAnybody(IPAddress address, Connection link, Refusal refusal, ProcessGroupOptions options)
    {
        Refuse(link, refusal.Hint);
        Note(address, refusal.Sentence.TrimEnd('.'), options);
        if (!refusal.IsOurs || _unlike is not null) return;
        (_unlike, _unlikeSince) = (refusal.Sentence, Stopwatch.GetTimestamp());
    }

    private bool IsThere(JoinRequest hello) => (hello.IsPulse ? _pulse : _data)[hello.Rank] is not null;

    private void Note(IPAddress address, string why, ProcessGroupOptions options)
    {
        if (_noted.Count >= MostNotes || !_noted.Add(address)) return;
        string last = _noted.Count == MostNotes ? "; further addresses are not named" : "";
        options.Note?.Invoke(
            $"a connection from {address} to port {Port} was refused ({why}); rank 0 keeps waiting for its processes{last}.");
    }

    private void Dismiss(string sentence)
    {
        foreach (var link in _data.OfType<Connection>()) Refuse(link, sentence);
        foreach (var link in _pulse.OfType<Connection>()) link.Dispose();
    }

    internal static void Refuse(Connection link, string sentence)
    {
        try
        {
            JoinRequest.SendText(link, sentence);
        }
        catch (LinkException)
        {
            // The peer is gone and needs no answer.
        }
        link.Dispose();
    }
}
