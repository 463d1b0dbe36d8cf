using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Rpat.Tests.Distributed;

/// <summary>Whoever comes to a meeting point without belonging there learns nothing, and the team meets all the same.</summary>
public sealed class StrangerTests
{
    private const string Token = "a token of this team";
    private const int OpeningBytes = 41, NonceBytes = 32, ProofBytes = 32;

    private static readonly ProcessGroupOptions _options = Team.Options with { Token = Token };
    private static readonly TimeSpan _long = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Ranks_meet_in_time_while_strangers_of_all_kinds_hang_on()
    {
        using var point = new Rendezvous(IPAddress.Loopback, 0) { HelloLimit = _long };
        using Socket halfOpen = Connect(point), slow = Connect(point), wrong = Connect(point), proofless = Connect(point);
        using var stop = new CancellationTokenSource();
        var drip = Task.Run(() => Drip(slow, stop.Token));
        wrong.Send(new byte[OpeningBytes]);
        Open(proofless);
        long start = Stopwatch.GetTimestamp();
        await Meet(point, _options);
        Assert.True(Stopwatch.GetElapsedTime(start) < _long / 2, "the strangers held the start up");
        await stop.CancelAsync();
        await drip;
    }

    [Fact]
    public async Task Whoever_is_too_slow_is_sent_away_however_often_it_says_something()
    {
        using var point = new Rendezvous(IPAddress.Loopback, 0) { HelloLimit = TimeSpan.FromSeconds(3) };
        using Socket halfOpen = Connect(point), slow = Connect(point);
        using var stop = new CancellationTokenSource();
        var drip = Task.Run(() => Drip(slow, stop.Token));
        await Meet(point, _options, before: () => Assert.Equal((0, 0), (Rest(halfOpen), Rest(slow))));
        await stop.CancelAsync();
        await drip;
    }

    [Fact]
    public async Task A_wrong_token_is_told_no_and_nothing_else()
    {
        var notes = new ConcurrentQueue<string>();
        using var point = new Rendezvous(IPAddress.Loopback, 0);
        using Socket guess = Connect(point), again = Connect(point);
        foreach (var stranger in new[] { guess, again })
        {
            Open(stranger);
            stranger.Send(new byte[ProofBytes]);
        }
        await Meet(point, _options with { Note = notes.Enqueue }, before: () =>
        {
            Assert.Equal(NonceBytes + 1, Rest(guess));
            Assert.Equal(NonceBytes + 1, Rest(again));
        });
        string note = Assert.Single(notes);
        Assert.Equal(
            $"a connection from 127.0.0.1 to port {point.Port} was refused (it has another join token or none); rank 0 keeps waiting "
                + $"for its processes.", note);
    }

    [Fact]
    public async Task A_rank_with_another_token_is_told_to_use_the_same()
    {
        using var point = new Rendezvous(IPAddress.Loopback, 0);
        int port = point.Port;
        await Meet(point, _options, before: () =>
        {
            var error = Assert.Throws<HandshakeException>(
                () => TcpProcessGroup.Join("localhost", port, 1, 2, _options with { Token = "guess" }));
            Assert.Equal(
                $"rank 1 and localhost:{port} are strangers: it has another join token; give all processes the same RPAT_TEAM_SECRET, "
                    + $"or choose another MASTER_PORT.",
                error.Message);
        });
    }

    [Fact]
    public async Task What_a_rank_once_said_opens_no_second_door_and_holds_no_token()
    {
        byte[] said;
        using (var first = new Rendezvous(IPAddress.Loopback, 0))
        {
            using var tap = new Tap(first.Port);
            await Meet(first, _options, tap.Port);
            said = tap.Said();
        }
        Assert.True(said.Length > OpeningBytes + ProofBytes);
        Assert.True(said.AsSpan().IndexOf(Encoding.UTF8.GetBytes(Token)) < 0, "the token was sent");
        using var second = new Rendezvous(IPAddress.Loopback, 0);
        using var replay = Connect(second);
        replay.Send(said);
        // a close with unread bytes may take the answer back
        await Meet(second, _options, before: () => Assert.InRange(Rest(replay), 0, NonceBytes + 1));
    }

    [Fact]
    public async Task A_false_rank_zero_hears_no_hello()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var heard = Task.Run(() =>
        {
            using var socket = listener.AcceptSocket();
            var link = new Connection(socket, 1);
            link.ReceiveAll(new byte[OpeningBytes]);
            link.SendAll(new byte[NonceBytes]);
            link.ReceiveAll(new byte[ProofBytes]);
            link.SendAll([1, .. new byte[ProofBytes]]);
            return Rest(socket);
        });
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var error = Assert.Throws<HandshakeException>(() => TcpProcessGroup.Join("localhost", port, 1, 2, _options));
        Assert.Contains("it does not know the join token", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, await heard);
    }

    [Fact]
    public async Task Of_too_many_the_first_are_sent_away()
    {
        using var point = new Rendezvous(IPAddress.Loopback, 0) { HelloLimit = _long };
        Socket[] crowd = [.. Enumerable.Range(0, 80).Select(_ => Connect(point))];
        await Meet(point, _options, before: () => Assert.Equal(0, Rest(crowd[0])));
        Array.ForEach(crowd, socket => socket.Dispose());
    }

    [Theory]
    [InlineData(3, "1.0", "rank 1 was started as one of 3 processes and rank 0 with another number: start all with the same number.")]
    [InlineData(2, "0.9", "rank 1 runs version 0.9 and rank 0 another one: use the same program everywhere.")]
    public async Task Without_a_token_another_runs_process_is_refused_and_learns_nothing(int size, string program, string sentence)
    {
        var notes = new ConcurrentQueue<string>();
        using var point = new Rendezvous(IPAddress.Loopback, 0);
        int port = point.Port;
        await Meet(point, Team.Options with { Note = notes.Enqueue }, before: () =>
        {
            var error = Assert.Throws<HandshakeException>(
                () => TcpProcessGroup.Join("localhost", port, 1, size, Team.Options with { Program = program }));
            Assert.Equal(sentence, error.Message);
        });
        Assert.Contains(size == 3 ? "rank 0 as one of 2" : "rank 0 version 1.0", Assert.Single(notes), StringComparison.Ordinal);
    }

    // Rank 1 comes when the check before it has passed, which runs while rank 0 waits.
    private static async Task Meet(Rendezvous point, ProcessGroupOptions options, int? port = null, Action? before = null)
    {
        var one = Task.Run(() =>
        {
            var failed = before is null ? null : Team.Try(before);
            using var team = TcpProcessGroup.Join("localhost", port ?? point.Port, 1, 2, options);
            team.Barrier();
            return failed;
        });
        using (var team = point.Gather(2, options)) team.Barrier();
        var error = await one;
        if (error is not null) throw new InvalidOperationException(error.Message, error);
    }

    private static Socket Connect(Rendezvous point)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveTimeout = 20_000 };
        socket.Connect(IPAddress.Loopback, point.Port);
        return socket;
    }

    private static void Open(Socket socket) => socket.Send((byte[])[.. "RPATTEAM"u8, 2, .. new byte[NonceBytes]]);

    private static void Drip(Socket socket, CancellationToken stop)
    {
        byte[] opening = [.. "RPATTEAM"u8, 2];
        try
        {
            for (int i = 0; !stop.IsCancellationRequested && i < OpeningBytes - 1; i++)
            {
                socket.Send([opening[Math.Min(i, opening.Length - 1)]]);
                stop.WaitHandle.WaitOne(50);
            }
        }
        catch (SocketException)
        {
            // It was sent away.
        }
    }

    /// <summary>How many bytes come until the other side closes.</summary>
    private static int Rest(Socket socket)
    {
        int sum = 0;
        byte[] bytes = new byte[256];
        try
        {
            while (socket.Receive(bytes) is > 0 and int count) sum += count;
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.ConnectionReset)
        {
            // Closed with bytes unread.
        }
        return sum;
    }

    /// <summary>Stands between a rank and its meeting point, and keeps what the rank says on its first connection.</summary>
    private sealed class Tap : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly MemoryStream _said = new();
        private readonly Task _first, _second;

        public Tap(int port)
        {
            _listener.Start();
            (_first, _second) = (Pass(port, _said), Pass(port, Stream.Null));
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public byte[] Said()
        {
            Task.WaitAll(_first, _second);
            return _said.ToArray();
        }

        public void Dispose() => _listener.Dispose();

        private Task Pass(int port, Stream copy)
        {
            var accepted = _listener.AcceptTcpClientAsync();
            return Task.Run(async () =>
            {
                using var rank = await accepted;
                using var zero = new TcpClient("127.0.0.1", port);
                var (from, to) = (rank.GetStream(), zero.GetStream());
                await Task.WhenAll(Pump(from, to, copy), Pump(to, from, Stream.Null));
            });
        }

        private static async Task Pump(NetworkStream from, NetworkStream to, Stream copy)
        {
            byte[] bytes = new byte[4096];
            try
            {
                while (await from.ReadAsync(bytes) is > 0 and int count)
                {
                    copy.Write(bytes, 0, count);
                    await to.WriteAsync(bytes.AsMemory(0, count));
                }
                to.Socket.Shutdown(SocketShutdown.Send);
            }
            catch (Exception error) when (error is IOException or SocketException)
            {
                // The team has parted.
            }
        }
    }
}
