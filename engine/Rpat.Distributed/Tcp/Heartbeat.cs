using System.Buffers.Binary;
using System.Net.Sockets;

namespace Rpat.Distributed.Tcp;

/// <summary>
/// Heartbeats on separate connections, in the background: a periodic beat, a goodbye, or the reason why a process fails. Rank 0 listens to
/// all other ranks and forwards what they report, so that no process waits forever for a lost one.
/// </summary>
internal sealed class Heartbeat : ILossSource, IDisposable
{
    private const byte Beat = 0, Farewell = 1, Failure = 2;

    private readonly Connection[] _links;
    private readonly TimeSpan _silence;
    private readonly TimeSpan _interval;
    private readonly Thread _thread;
    private readonly TimeSpan[] _quiet; // since the last message of each, in this process's running time
    private readonly HashSet<Connection> _gone = [];
    private readonly Lock _lock = new();
    private readonly ManualResetEventSlim _known = new();
    private PeerLostException? _loss;
    private volatile bool _leaving;
    private TimeSpan _left = TimeSpan.FromSeconds(2); // for the others to read the last message, which closing too soon would discard

    public Heartbeat(Connection[] links, TimeSpan silence)
    {
        (_links, _silence, _quiet) = (links, silence, new TimeSpan[links.Length]);
        _interval = TimeSpan.FromMilliseconds(Math.Clamp(silence.TotalMilliseconds / 8, 5, 1000));
        foreach (var link in links) (link.Socket.SendTimeout, link.Socket.ReceiveTimeout) = (2000, 5000);
        _thread = new Thread(Run) { IsBackground = true, Name = "rpat pulse" };
        _thread.Start();
    }

    /// <inheritdoc/>
    public event Action<PeerLostException> Lost
    {
        add
        {
            bool late;
            lock (_lock) (late, _lost) = (_loss is not null, _lost + value);
            if (late) value(_loss!);
        }
        remove
        {
            lock (_lock) _lost -= value;
        }
    }

    private Action<PeerLostException>? _lost;

    /// <summary>Why a connection broke: what the other process reported, or that it reported nothing.</summary>
    public PeerLostException Explain(LinkException broken)
    {
        // The reason travels on another connection and may arrive a little later.
        if (!_known.Wait(TimeSpan.FromSeconds(2))) Lose(broken.Peer, 0, WithoutAWord(broken.Peer), except: null);
        return new PeerLostException(_loss!.Rank, _loss.Code, _loss.Message, broken);
    }

    /// <summary>Reports to all others that this process fails.</summary>
    public void Fail(int rank, int code, string sentence) => Leave(Message(rank, code, sentence));

    public void Dispose()
    {
        if (!_leaving) Leave([Farewell]);
        _thread.Join();
        foreach (var link in _links) link.Dispose();
        _known.Dispose();
    }

    private void Leave(byte[] lastWord)
    {
        _leaving = true;
        foreach (var link in _links) TrySend(link, lastWord, last: true);
    }

    private static string WithoutAWord(int rank) => $"rank {rank} has ended without a word: its process was killed or has crashed";

    private void Run()
    {
        long last = Stopwatch.GetTimestamp();
        var untilBeat = TimeSpan.Zero;
        while (_gone.Count < _links.Length && _left > TimeSpan.Zero)
        {
            if (untilBeat <= TimeSpan.Zero)
            {
                untilBeat = _interval;
                foreach (var link in _leaving ? [] : Living()) TrySend(link, [Beat]);
            }
            Listen(untilBeat); // which ends with each message, whereas a beat answers none
            // A process that was itself suspended must not count that time as silence of the others.
            var passed = TimeSpan.FromTicks(Math.Min(Stopwatch.GetElapsedTime(last).Ticks, 2 * _interval.Ticks));
            last = Stopwatch.GetTimestamp();
            untilBeat -= passed;
            if (_leaving) _left -= passed;
            else Count(passed);
        }
    }

    private List<Connection> Living() => [.. _links.Where(link => !_gone.Contains(link))];

    private void Listen(TimeSpan most)
    {
        var readable = Living().ConvertAll(link => link.Socket);
        try
        {
            Socket.Select(readable, null, null, most);
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            return;
        }
        for (int i = 0; i < _links.Length; i++)
            if (readable.Contains(_links[i].Socket)) Hear(i);
    }

    private void Hear(int index)
    {
        var link = _links[index];
        _quiet[index] = TimeSpan.Zero;
        try
        {
            Span<byte> kind = stackalloc byte[1];
            link.ReceiveAll(kind);
            if (kind[0] == Farewell) _gone.Add(link);
            if (kind[0] == Failure) HearFailure(link);
        }
        catch (LinkException)
        {
            _gone.Add(link);
            if (!_leaving) Lose(link.Peer, 0, WithoutAWord(link.Peer), link);
        }
    }

    private void HearFailure(Connection link)
    {
        Span<byte> head = stackalloc byte[8];
        link.ReceiveAll(head);
        string sentence = JoinRequest.ReceiveText(link) ?? "it failed";
        _gone.Add(link);
        if (!_leaving)
            Lose(BinaryPrimitives.ReadInt32LittleEndian(head), BinaryPrimitives.ReadInt32LittleEndian(head[4..]), sentence, link);
    }

    private void Count(TimeSpan passed)
    {
        for (int i = 0; i < _links.Length; i++)
        {
            if (_gone.Contains(_links[i]) || (_quiet[i] += passed) <= _silence) continue;
            _gone.Add(_links[i]);
            string time = FormattableString.Invariant($"{_silence.TotalSeconds:0.#} s");
            Lose(_links[i].Peer, 0, $"rank {_links[i].Peer} has given no sign of life for {time}: its machine or the network hangs",
                _links[i]);
        }
    }

    private void Lose(int rank, int code, string sentence, Connection? except)
    {
        Action<PeerLostException>? told;
        lock (_lock)
        {
            if (_loss is not null) return;
            (_loss, told) = (new PeerLostException(rank, code, sentence), _lost);
        }
        foreach (var link in _links)
            if (link != except) TrySend(link, Message(rank, code, sentence));
        _known.Set();
        told?.Invoke(_loss);
    }

    private static byte[] Message(int rank, int code, string sentence)
    {
        byte[] text = System.Text.Encoding.UTF8.GetBytes(sentence);
        if (text.Length > 4096) text = text[..4096];
        byte[] message = new byte[13 + text.Length];
        message[0] = Failure;
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(1), rank);
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(5), code);
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(9), text.Length);
        text.CopyTo(message, 13);
        return message;
    }

    // A peer that cannot be reached is lost, or will be found to be.
    private static void TrySend(Connection link, ReadOnlySpan<byte> message, bool last = false)
    {
        try
        {
            lock (link)
            {
                link.SendAll(message);
                if (last) link.Socket.Shutdown(SocketShutdown.Send);
            }
        }
        catch (Exception error) when (error is LinkException or SocketException or ObjectDisposedException)
        {
        }
    }
}
