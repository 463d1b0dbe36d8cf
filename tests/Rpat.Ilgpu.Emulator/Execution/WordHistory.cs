namespace Rpat.Ilgpu.Emulator.Execution;

/// <summary>The last thread, or threads, that did one thing with a word of shared memory.</summary>
internal struct Deed
{
    private const int Several = -2;

    private int _interval, _warpInterval, _lane, _warp;

    /// <summary>Some other thread did it where nothing orders it before this thread: its number, else -1.</summary>
    public readonly int Conflict(Lane lane, int interval)
    {
        if (_interval != interval || _lane == lane.Number) return -1;
        bool ordered = _warp == lane.Warp && _warpInterval < lane.Group.WarpInterval(lane.Warp);
        return ordered ? -1 : _lane == Several ? int.MaxValue : _lane;
    }

    /// <summary>A thread does it, too.</summary>
    public void Add(Lane lane, int interval)
    {
        bool others = _interval == interval && _lane != lane.Number;
        _warp = others && _warp != lane.Warp ? Several : lane.Warp;
        _lane = others ? Several : lane.Number;
        (_interval, _warpInterval) = (interval, lane.Group.WarpInterval(lane.Warp));
    }
}

/// <summary>How a thread uses a word.</summary>
internal enum Access
{
    Read,
    Write,
    Atomic,
}

/// <summary>What happened to one word of shared memory since the last barrier.</summary>
internal struct WordHistory
{
    private Deed _read, _write, _atomic;

    /// <summary>Whether anybody has ever written it.</summary>
    public bool Written { get; private set; }

    /// <summary>Notes an access and names the one that it races with, if any.</summary>
    public string? Note(Lane lane, int interval, Access access)
    {
        string? race = Race(lane, interval, access);
        Written |= access != Access.Read;
        switch (access)
        {
            case Access.Read: _read.Add(lane, interval); break;
            case Access.Write: _write.Add(lane, interval); break;
            default: _atomic.Add(lane, interval); break;
        }
        return race;
    }

    private readonly string? Race(Lane lane, int interval, Access access) =>
        Words(_write.Conflict(lane, interval), "wrote")
        ?? (access == Access.Read ? null : Words(_read.Conflict(lane, interval), "read"))
        ?? (access == Access.Atomic ? null : Words(_atomic.Conflict(lane, interval), "changed atomically"));

    private static string? Words(int lane, string verb) => lane < 0 ? null : lane == int.MaxValue ? $"other threads {verb}" : $"thread {lane} {verb}";
}
