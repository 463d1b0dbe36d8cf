using System.Net;
using System.Net.Sockets;

namespace Rpat.Tests.Distributed;

/// <summary>Processes that are not alike do not become a team, and say why in one sentence everywhere.</summary>
public sealed class RendezvousTests
{
    private static readonly ProcessGroupOptions _options = Team.Options with { Token = "word" };

    [Fact]
    public Task Another_version_is_refused() => Refused(
        options => options with { Program = "2.0" }, "rank 1 runs version 2.0 and rank 0 version 1.0: use the same program everywhere.");

    [Fact]
    public async Task The_reason_comes_on_the_first_connection_even_if_the_second_is_refused_before()
    {
        using var point = new Rendezvous(IPAddress.Loopback, 0);
        var gather = Task.Run(() => Assert.Throws<HandshakeException>(() => point.Gather(2, _options)));
        using Connection data = Open(point), pulse = Open(point);
        var hello = new JoinRequest(false, 1, 2, "2.0", _options.Configuration);
        Handshake.Enter(pulse, hello with { IsPulse = true }, _options.Token);
        Assert.StartsWith("rank 1 runs version 2.0", JoinRequest.ReceiveText(pulse), StringComparison.Ordinal);
        Handshake.Enter(data, hello, _options.Token);
        Assert.StartsWith("rank 1 runs version 2.0", JoinRequest.ReceiveText(data), StringComparison.Ordinal);
        await gather;
    }

    [Fact]
    public Task Another_configuration_is_refused() => Refused(
        options => options with { Configuration = "other" },
        "rank 1 has another configuration than rank 0: give all processes the same recipe, files, environment and options.");

    [Fact]
    public async Task Another_number_of_processes_is_refused()
    {
        using var point = new Rendezvous(IPAddress.Loopback, 0);
        var other = Task.Run(() => Assert.Throws<HandshakeException>(() => TcpProcessGroup.Join("localhost", point.Port, 1, 3, _options)));
        var here = Assert.Throws<HandshakeException>(() => point.Gather(2, _options));
        Assert.Equal("rank 1 was started as one of 3 processes and rank 0 as one of 2: start all with the same number.", here.Message);
        Assert.Equal(here.Message, (await other).Message);
    }

    [Fact]
    public async Task Strangers_are_sent_away_and_not_counted()
    {
        using var point = new Rendezvous(IPAddress.Loopback, 0);
        using var scan = new TcpClient("localhost", point.Port);
        scan.GetStream().Write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"u8);
        var stranger = Task.Run(() => Team.Try(() => TcpProcessGroup.Join("localhost", point.Port, 1, 2, Team.Options with
        { Token = "guess" })));
        var options = _options;
        var other = Task.Run(async () =>
        {
            await stranger;
            using var team = TcpProcessGroup.Join("localhost", point.Port, 1, 2, options);
            team.Barrier();
        });
        using (var team = point.Gather(2, options)) team.Barrier();
        await other;
        Assert.IsType<HandshakeException>(await stranger);
    }

    [Fact]
    public async Task Whoever_is_missing_is_named()
    {
        using var point = new Rendezvous(IPAddress.Loopback, 0);
        var options = Team.Options with { JoinTimeout = TimeSpan.FromMilliseconds(300) };
        var other = Task.Run(() => Team.Try(() => TcpProcessGroup.Join("localhost", point.Port, 2, 4, options)));
        var error = Assert.Throws<HandshakeException>(() => point.Gather(4, options));
        Assert.Matches(
            @"^rank (1, 3|1, 2, 3) of 4 processes did not come to port \d+ within 0 s: start them all, with the same MASTER_ADDR and MASTER_PORT\.$", error.Message);
        Assert.IsType<HandshakeException>(await other);
    }

    [Fact]
    public void Nobody_at_the_meeting_point_is_one_sentence()
    {
        int port;
        using (var point = new Rendezvous(IPAddress.Loopback, 0)) port = point.Port;
        var options = Team.Options with { JoinTimeout = TimeSpan.FromMilliseconds(50) };
        var error = Assert.Throws<HandshakeException>(() => TcpProcessGroup.Join("localhost", port, 1, 2, options));
        Assert.StartsWith($"rank 1 cannot reach rank 0 at localhost:{port} (", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_port_that_is_taken_is_one_sentence()
    {
        using var first = new Rendezvous(IPAddress.Loopback, 0);
        var error = Assert.Throws<HandshakeException>(() => new Rendezvous(IPAddress.Loopback, first.Port));
        Assert.StartsWith($"rank 0 cannot listen at port {first.Port} (", error.Message, StringComparison.Ordinal);
        Assert.EndsWith("choose another MASTER_PORT.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_thrown_while_waiting_ends_the_waiting()
    {
        using var point = new Rendezvous(IPAddress.Loopback, 0);
        Assert.Throws<InvalidDataException>(() => point.Gather(2, Team.Options, () => throw new InvalidDataException()));
    }

    private static Connection Open(Rendezvous point)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        socket.Connect("localhost", point.Port);
        return new Connection(socket, 0);
    }

    private static async Task Refused(Func<ProcessGroupOptions, ProcessGroupOptions> change, string sentence)
    {
        using var point = new Rendezvous(IPAddress.Loopback, 0);
        var other = Task.Run(() => Assert.Throws<HandshakeException>(
            () => TcpProcessGroup.Join("localhost", point.Port, 1, 2, change(_options))));
        Assert.Equal(sentence, Assert.Throws<HandshakeException>(() => point.Gather(2, _options)).Message);
        Assert.Equal(sentence, (await other).Message);
    }
}
