using System.Net;
using System.Net.Sockets;
using Rpat.Tests.Support;

namespace Rpat.Tests.Distributed;

/// <summary>A team over real connections, its ranks threads of this process.</summary>
public sealed class TcpProcessGroupTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    public void Sums_are_the_same_everywhere_and_added_in_the_order_of_the_ranks(int size)
    {
        const int length = 200_003; // more than two chunks, and a tail
        float[][] given = [.. Enumerable.Range(0, size).Select(rank => Values(rank, length))];
        var sums = Team.Run(size, team =>
        {
            float[] values = [.. given[team.Rank]];
            team.AllReduce(values);
            return values;
        });
        float[] expected = [.. given[0]];
        foreach (float[] more in given.Skip(1))
            for (int i = 0; i < length; i++) expected[i] += more[i];
        Assert.All(sums, sum => Assert.Equal(expected, sum));
    }

    [Fact]
    public void Doubles_are_added_as_doubles()
    {
        var sums = Team.Run(3, team =>
        {
            double[] values = [1e-12 * (team.Rank + 1), 1];
            team.AllReduce(values);
            return values;
        });
        Assert.All(sums, sum => Assert.Equal([1e-12 + 2e-12 + 3e-12, 3], sum));
    }

    [Fact]
    public void Gathering_takes_parts_of_any_length_in_the_order_of_the_ranks()
    {
        var all = Team.Run(4, team =>
        {
            int[] mine = [.. Enumerable.Repeat(team.Rank, 3 - team.Rank)], everybody = new int[6];
            team.AllGather<int>(mine, everybody);
            return everybody;
        });
        Assert.All(all, everybody => Assert.Equal([0, 0, 0, 1, 1, 2], everybody));
    }

    [Fact]
    public void Rank_zero_gives_values_and_bytes_to_all()
    {
        var given = Team.Run(3, team =>
        {
            float[] values = [team.Rank, 10 + team.Rank];
            team.Broadcast(values.AsSpan());
            return (values, team.BroadcastBytes(team.Rank == 0 ? [7, 8, 9] : []));
        });
        Assert.All(given, pair => Assert.Equal([0f, 10f], pair.values));
        Assert.All(given, pair => Assert.Equal([7, 8, 9], pair.Item2));
    }

    [Fact]
    public void Uneven_speeds_and_many_messages_change_nothing()
    {
        var sums = Team.Run(3, team =>
        {
            double total = 0;
            double[] value = new double[1];
            for (int i = 0; i < 300; i++)
            {
                if (i % 100 == team.Rank) Thread.Sleep(20);
                value[0] = (i + 1) * (team.Rank + 1);
                team.AllReduce(value);
                total += value[0];
                if (i % 50 == 0) team.Barrier();
            }
            return total;
        });
        Assert.All(sums, sum => Assert.Equal(6 * 300 * 301 / 2, sum));
    }

    [Fact]
    public void A_barrier_waits_for_the_last()
    {
        bool came = false;
        bool[] waited = Team.Run(2, team =>
        {
            if (team.Rank == 1)
            {
                Thread.Sleep(300);
                Volatile.Write(ref came, true);
            }
            team.Barrier();
            return Volatile.Read(ref came);
        });
        Assert.Equal([true, true], waited);
    }

    [Fact]
    public void Repeated_sums_allocate_nothing()
    {
        long[] allocated = Team.Run(2, team =>
        {
            float[] values = new float[50_000];
            double[] few = new double[64];
            float[] all = new float[128];
            return Allocations.Of(() =>
            {
                for (int i = 0; i < 10; i++)
                {
                    team.AllReduce(values);
                    team.AllReduce(few);
                    team.AllGather<float>(values.AsSpan(0, 64), all);
                }
            }).Own;
        });
        Assert.All(allocated, bytes => Assert.Equal(0, bytes));
    }

    [Fact]
    public void Whoever_fails_tells_the_others_why()
    {
        var said = new PeerLostException?[3];
        Assert.ThrowsAny<InvalidOperationException>(() => Team.Run(3, team =>
        {
            if (team.Rank == 1)
            {
                team.Fail(3, "the images are not there");
                throw new InvalidOperationException();
            }
            said[team.Rank] = Assert.Throws<PeerLostException>(team.Barrier);
            return 0;
        }));
        foreach (int rank in new[] { 0, 2 })
        {
            Assert.Equal("the images are not there", said[rank]!.Message);
            Assert.Equal((1, 3), (said[rank]!.Rank, said[rank]!.Code));
        }
    }

    [Fact]
    public async Task A_peer_that_ends_without_a_word_is_noticed_at_once()
    {
        var team = Team.Options;
        using var point = new Rendezvous(IPAddress.Loopback, 0);
        var coming = Task.Run(() => new Stranger(point.Port, rank: 1, size: 2, team));
        using var zero = point.Gather(2, team);
        using var stranger = await coming;
        Task end = Task.Run(async () =>
        {
            await Task.Delay(100);
            stranger.Dispose();
        });
        long start = Stopwatch.GetTimestamp();
        var lost = Assert.Throws<PeerLostException>(zero.Barrier);
        await end;
        Assert.Equal("rank 1 has ended without a word: its process was killed or has crashed", lost.Message);
        Assert.Equal((1, 0), (lost.Rank, lost.Code));
        Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task A_silent_peer_is_given_up()
    {
        var team = Team.Options with { HeartbeatTimeout = TimeSpan.FromMilliseconds(400) };
        using var point = new Rendezvous(IPAddress.Loopback, 0);
        var coming = Task.Run(() => new Stranger(point.Port, rank: 1, size: 2, team));
        using var zero = point.Gather(2, team);
        using var stranger = await coming;
        var lost = Assert.Throws<PeerLostException>(zero.Barrier);
        Assert.Contains("rank 1 has given no sign of life for 0.4 s", lost.Message, StringComparison.Ordinal);
    }

    /// <summary>Two that answered each other's beats would send thousands in a second.</summary>
    [Fact]
    public void A_beat_is_not_answered_by_a_beat()
    {
        using var listener = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var other = new System.Net.Sockets.TcpClient("localhost", ((IPEndPoint)listener.LocalEndpoint).Port);
        using var pulse = new Heartbeat([new Connection(listener.AcceptSocket(), 1)], TimeSpan.FromSeconds(60));
        Assert.True(other.Client.Poll(TimeSpan.FromSeconds(10), SelectMode.SelectRead)); // it beats
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < 200; i++)
        {
            other.GetStream().Write([0]);
            Thread.Sleep(1);
        }
        Assert.InRange(other.Available, 1, 3 + (int)Stopwatch.GetElapsedTime(start).TotalSeconds); // once per second
    }

    [Fact]
    public void Who_waits_for_a_slow_one_hears_its_heart()
    {
        var options = Team.Options with { HeartbeatTimeout = TimeSpan.FromSeconds(2) };
        Team.Run(3, team =>
        {
            if (team.Rank == 2) Thread.Sleep(5000);
            team.Barrier();
            return 0;
        }, options);
    }

    [Fact]
    public void Processes_that_do_not_do_the_same_are_told_so()
    {
        var error = Assert.Throws<InvalidOperationException>(() => Team.Run(2, team =>
        {
            if (team.Rank == 0) team.AllReduce(new float[3]);
            else team.AllReduce(new double[3]);
            return 0;
        }));
        Assert.Contains("the ranks are out of sync: rank 1 is at common step 1 (SumDoubles, 24 bytes), rank 0 at 1 (SumFloats, 12 bytes)",
            error.Message, StringComparison.Ordinal);
    }

    private static float[] Values(int rank, int length) =>
        [.. Enumerable.Range(0, length).Select(i => (float)Math.Sin(i * 0.37 + rank) * (rank + 1))];

    /// <summary>A process that comes to the meeting and then neither says nor does anything.</summary>
    private sealed class Stranger : IDisposable
    {
        private readonly Connection[] _links;

        public Stranger(int port, int rank, int size, ProcessGroupOptions options)
        {
            _links = [.. new[] { false, true }.Select(
                pulse => Connect(port, new JoinRequest(pulse, rank, size, options.Program, options.Configuration), options.Token))];
        }

        public void Dispose() => Array.ForEach(_links, link => link.Dispose());

        private static Connection Connect(int port, JoinRequest hello, string token)
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            socket.Connect("localhost", port);
            var link = new Connection(socket, 0);
            Handshake.Enter(link, hello, token);
            return link;
        }
    }
}
