namespace Rpat.PtxMachine;

/// <summary>
/// The buffers that kernels may touch: memory of the host, at the addresses that the kernels are given. What a buffer holds counts as
/// unwritten until a kernel or, by <see cref="MarkWritten"/>, the host has written it.
/// </summary>
public sealed class GlobalMemory
{
    /// <summary>The host as the writer of a word; groups have larger numbers, each its own among all launches.</summary>
    private const uint Host = 1;

    private readonly Lock _lock = new();
    private readonly List<Range> _ranges = [];
    private uint _last = Host;

    /// <summary>Adds a buffer.</summary>
    /// <param name="address">Where it begins, a multiple of 4.</param>
    /// <param name="name">What faults call it.</param>
    public void Register(nint address, long bytes, string name)
    {
        if (address <= 0 || address % sizeof(uint) != 0 || bytes < 1)
            throw new ArgumentException($"Buffer {name} has {bytes} bytes at {address:x}; give at least one byte, at a multiple of 4.");
        var range = new Range((ulong)address, (ulong)bytes, name);
        lock (_lock)
        {
            int at = _ranges.FindIndex(other => other.Start >= range.Start);
            if (at < 0) at = _ranges.Count;
            if ((at < _ranges.Count && _ranges[at].Start < range.End) || (at > 0 && _ranges[at - 1].End > range.Start))
                throw new ArgumentException($"Buffer {name} overlaps another one; unregister that first.");
            _ranges.Insert(at, range);
        }
    }

    /// <summary>Forgets a buffer.</summary>
    public void Unregister(nint address)
    {
        lock (_lock)
        {
            if (_ranges.RemoveAll(range => range.Start == (ulong)address) == 0)
                throw new ArgumentException($"No buffer begins at {address:x}; unregister what was registered.");
        }
    }

    /// <summary>Notes that the host has written some bytes of a buffer.</summary>
    public void MarkWritten(nint address, long bytes)
    {
        if (bytes <= 0) return;
        lock (_lock)
        {
            var range = Range.Find(CollectionsMarshal.AsSpan(_ranges), (ulong)address, (ulong)bytes)
                ?? throw new ArgumentException($"{bytes} bytes at {address:x} lie in no buffer; register it first.");
            range.MarkWritten((ulong)address, (ulong)bytes, Host);
        }
    }

    /// <summary>Notes that the host has copied bytes of one buffer to another: what was not written stays so.</summary>
    public void MarkCopied(nint from, nint to, long bytes)
    {
        if (bytes <= 0) return;
        lock (_lock)
        {
            var ranges = CollectionsMarshal.AsSpan(_ranges);
            if (Range.Find(ranges, (ulong)to, (ulong)bytes) is not { } target)
                throw new ArgumentException($"{bytes} bytes at {to:x} lie in no buffer; register it first.");
            if (Range.Find(ranges, (ulong)from, (ulong)bytes) is not { } source) target.MarkWritten((ulong)to, (ulong)bytes, Host);
            else target.CopyMarks(source, (ulong)from, (ulong)to, (ulong)bytes, Host);
        }
    }

    /// <summary>Begins a launch: gives each of its groups a number.</summary>
    /// <returns>What it may touch, by address.</returns>
    internal Range[] Begin(long groups, IReadOnlyCollection<MemoryView>? views, out uint first)
    {
        lock (_lock)
        {
            if (_last + groups + 2 > uint.MaxValue) Renumber();
            first = _last + 2; // the number before the first means several readers
            _last += (uint)groups + 2;
            return views is null ? [.. _ranges] : Parts(views);
        }
    }

    // Views that overlap become one, so that an address lies in one range only.
    private Range[] Parts(IReadOnlyCollection<MemoryView> views)
    {
        List<MemoryView> apart = [];
        foreach (var view in views.OrderBy(view => view.Address))
        {
            if (apart.Count > 0 && view.Address < apart[^1].End) apart[^1] = apart[^1].With(view);
            else apart.Add(view);
        }
        return [.. apart.Select(Part)];
    }

    private Range Part(MemoryView view)
    {
        var whole = Range.Find(CollectionsMarshal.AsSpan(_ranges), (ulong)view.Address, (ulong)view.Bytes)
            ?? throw new ArgumentException($"View {view.Name} of {view.Bytes} bytes at {view.Address:x} lies in no buffer; was it freed?");
        return whole.Part(view);
    }

    private void Renumber()
    {
        _ranges.ForEach(range => range.Forget(Host));
        _last = Host;
    }
}

/// <summary>A part of a buffer that a kernel is given.</summary>
/// <param name="Address">Where it begins, a multiple of 4.</param>
/// <param name="Name">What faults call it.</param>
public readonly record struct MemoryView(nint Address, long Bytes, string Name)
{
    internal nint End => Address + (nint)Bytes;

    internal MemoryView With(MemoryView other) => new(Address, Math.Max(End, other.End) - Address, $"{Name} and {other.Name}");
}

/// <summary>A buffer or a part of one, and for each of its words the group that wrote it last and the one that read it last.</summary>
internal sealed unsafe class Range
{
    private readonly Range? _whole; // that a part belongs to, and whose marks it shares

    public readonly ulong Start, End;

    /// <summary>By word: who wrote it, 0 if nobody has; who read it.</summary>
    public readonly uint* Writers, Readers;

    public Range(ulong start, ulong bytes, string name)
    {
        (Start, End, Name) = (start, start + bytes, name);
        Writers = Clear(bytes);
        Readers = Clear(bytes);
    }

    private Range(Range whole, MemoryView view)
    {
        (_whole, Start, End, Name) = (whole, (ulong)view.Address, (ulong)view.End, view.Name);
        ulong words = (Start - whole.Start) / 4;
        Writers = whole.Writers + words;
        Readers = whole.Readers + words;
    }

    public string Name { get; }

    ~Range()
    {
        if (_whole is not null) return;
        NativeMemory.Free(Writers);
        NativeMemory.Free(Readers);
    }

    /// <summary>The buffer that has all of some bytes.</summary>
    public static Range? Find(ReadOnlySpan<Range> sorted, ulong address, ulong bytes)
    {
        var near = Nearest(sorted, address);
        return near is not null && near.Holds(address, bytes) ? near : null;
    }

    public Range Part(MemoryView view) => new(this, view);

    public bool Holds(ulong address, ulong bytes) => address >= Start && address <= End && bytes <= End - address;

    /// <summary>The last buffer that begins at or before an address.</summary>
    private static Range? Nearest(ReadOnlySpan<Range> sorted, ulong address)
    {
        int low = 0, high = sorted.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (sorted[middle].Start <= address) low = middle + 1;
            else high = middle;
        }
        return low > 0 ? sorted[low - 1] : null;
    }

    /// <summary>Says where an address lies that no buffer holds.</summary>
    public static string Describe(ReadOnlySpan<Range> sorted, ulong address)
    {
        if (sorted.Length == 0) return "there are no buffers";
        var culture = CultureInfo.InvariantCulture;
        return Nearest(sorted, address) is { } near
            ? string.Create(culture, $"byte {address - near.Start} of {near.Name}, which has {near.End - near.Start} bytes")
            : string.Create(culture, $"{sorted[0].Start - address} bytes before {sorted[0].Name}");
    }

    public void MarkWritten(ulong address, ulong bytes, uint writer)
    {
        ulong first = (address - Start) / 4, last = (address - Start + bytes - 1) / 4;
        for (ulong word = first; word <= last; word++) Writers[word] = writer;
    }

    public void CopyMarks(Range source, ulong from, ulong to, ulong bytes, uint writer)
    {
        for (ulong at = 0; at < bytes; at += 4)
            Writers[(to + at - Start) / 4] = source.Writers[(from + at - source.Start) / 4] == 0 ? 0 : writer;
    }

    /// <summary>Forgets which groups wrote and read, but not what is written.</summary>
    public void Forget(uint writer)
    {
        for (ulong word = 0; word < (End - Start + 3) / 4; word++) (Writers[word], Readers[word]) = (Writers[word] == 0 ? 0 : writer, 0);
    }

    // Pages that nobody touches take no memory.
    private static uint* Clear(ulong bytes) => (uint*)NativeMemory.AllocZeroed((nuint)((bytes + 7) / 4), sizeof(uint));
}
