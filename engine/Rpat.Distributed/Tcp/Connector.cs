using System.Net.Sockets;

namespace Rpat.Distributed.Tcp;

/// <summary>How a process connects to rank 0.</summary>
internal static class Connector
{
    private const int PauseMs = 100;

    /// <summary>Opens both connections to rank 0, which may not be listening yet, and waits until it accepts.</summary>
    public static (Connection Data, Connection Pulse) RankZero(string host, int port, int rank, int size, ProcessGroupOptions options)
    {
        var data = new Connection(Connect(host, port, rank, options.JoinTimeout), 0);
        var hello = new JoinRequest(false, rank, size, options.Program, options.Configuration);
        Connection? pulse = null;
        try
        {
            data.Limit(Longest(options));
            Handshake.Enter(data, hello, options.Token);
            pulse = Second(hello with { IsPulse = true }, host, port, options);
            Welcome(data, host, port, rank);
            data.Limit(null);
            return (data, pulse ?? throw NoAnswer(host, port, rank, null));
        }
        catch (LinkException error)
        {
            Drop(data, pulse);
            throw NoAnswer(host, port, rank, error);
        }
        catch (StrangerException error)
        {
            Drop(data, pulse);
            throw new HandshakeException(
                $"rank {rank} and {At(host, port)} are strangers: it {error.Message}; give all processes the same RPAT_TEAM_SECRET, or "
                    + $"choose another MASTER_PORT.", error);
        }
        catch
        {
            Drop(data, pulse);
            throw;
        }
    }

    // If this fails, rank 0 has refused the first connection and gives the reason there.
    private static Connection? Second(in JoinRequest hello, string host, int port, ProcessGroupOptions options)
    {
        Connection? pulse = null;
        try
        {
            pulse = new Connection(Connect(host, port, hello.Rank, TimeSpan.Zero), 0);
            pulse.Limit(Longest(options));
            Handshake.Enter(pulse, hello, options.Token);
            pulse.Limit(null);
            return pulse;
        }
        catch (Exception error) when (error is LinkException or HandshakeException or StrangerException)
        {
            pulse?.Dispose();
            return null;
        }
    }

    // Rank 0 itself times out first, and gives a reason.
    private static TimeSpan Longest(ProcessGroupOptions options) => options.JoinTimeout + TimeSpan.FromSeconds(5);

    private static void Drop(Connection data, Connection? pulse)
    {
        data.Dispose();
        pulse?.Dispose();
    }

    private static void Welcome(Connection data, string host, int port, int rank)
    {
        string refusal = JoinRequest.ReceiveText(data) ?? throw NoAnswer(host, port, rank, null);
        if (refusal.Length > 0) throw new HandshakeException(refusal);
    }

    private static Socket Connect(string host, int port, int rank, TimeSpan patience)
    {
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                socket.Connect(host, port);
                return socket;
            }
            catch (Exception error) when (error is SocketException or ArgumentException)
            {
                socket.Dispose();
                if (error is ArgumentException || Stopwatch.GetElapsedTime(start) > patience)
                    throw new HandshakeException(
                        $"rank {rank} cannot reach rank 0 at {At(host, port)} ({error.Message}): start all processes, and name rank 0's "
                            + $"machine in MASTER_ADDR.", error);
                Thread.Sleep(PauseMs);
            }
        }
    }

    private static string At(string host, int port) => host.Contains(':') ? $"[{host}]:{port}" : $"{host}:{port}";

    private static HandshakeException NoAnswer(string host, int port, int rank, Exception? cause) =>
        new($"rank {rank} gets no answer from rank 0 at {At(host, port)}: it has ended, or another program listens there; choose "
            + $"another MASTER_PORT.", cause);
}
