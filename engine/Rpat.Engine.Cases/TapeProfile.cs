namespace Rpat.Engine.Cases;

/// <summary>Nodes of one op, <see cref="Node.Detail"/> and sizes of the first input and output, in one direction.</summary>
public readonly record struct ProfileKey(bool Backward, string Op, string Detail, string Sizes)
{
    /// <summary>The row of a node.</summary>
    public static ProfileKey Of(Node node, bool backward) =>
        new(backward, node.Op, node.Detail, $"{node.Inputs[0].Tensor.Shape} → {node.Outputs[0].Shape}");

    /// <summary>Direction, op, detail and sizes in one line.</summary>
    public string Text => $"{(Backward ? "backward" : "forward "),-9}{$"{Op} {Detail}".TrimEnd()}  {Sizes}";
}

/// <summary>Totals of a profile row: wall time and nodes run.</summary>
public readonly record struct ProfileTime(double Seconds, int Calls);

/// <summary>Measures the time of some tapes node by node, until disposed. The overhead is about 0.1 µs per node.</summary>
public sealed class TapeProfile : IDisposable
{
    private readonly IReadOnlyList<Tape> _tapes;
    private readonly Dictionary<(Node Node, bool Backward), ProfileTime> _times = [];
    private (Node Node, bool Backward)? _current;
    private long _since;

    /// <summary>Starts measuring tapes that have run before.</summary>
    public TapeProfile(params IReadOnlyList<Tape> tapes)
    {
        _tapes = tapes;
        foreach (var tape in tapes) tape.OnNode += Switch;
    }

    /// <summary>Time by kind and size, the longest first.</summary>
    public IReadOnlyList<(ProfileKey Key, ProfileTime Time)> Rows =>
    [
        .. from entry in _times
           group entry.Value by ProfileKey.Of(entry.Key.Node, entry.Key.Backward) into row
           let time = new ProfileTime(row.Sum(t => t.Seconds), row.Sum(t => t.Calls))
           orderby time.Seconds descending
           select (row.Key, time),
    ];

    /// <summary>Stops measuring.</summary>
    public void Dispose()
    {
        foreach (var tape in _tapes) tape.OnNode -= Switch;
    }

    private void Switch(Node? next, bool backward)
    {
        _tapes[0].Device.Synchronize(); // a GPU's kernels are only queued
        long now = Stopwatch.GetTimestamp();
        if (_current is { } key)
        {
            var so = _times.GetValueOrDefault(key);
            _times[key] = new ProfileTime(so.Seconds + Stopwatch.GetElapsedTime(_since, now).TotalSeconds, so.Calls + 1);
        }
        (_current, _since) = (next is null ? null : (next, backward), now);
    }
}
