namespace Rpat.Engine.Devices;

/// <summary>
/// One block of device memory for everything that lives only within a step. Tapes plan offsets into it; since the tapes of a device run one
/// after another, they overlay each other, and the block is as large as the largest of them.
/// </summary>
internal sealed class Arena(Device device)
{
    private DeviceBuffer? _block;

    /// <summary>Changes when the block moves, so that tapes bind their tensors again.</summary>
    public int Generation { get; private set; }

    /// <summary>The tape that ran last: the only one whose values are still valid.</summary>
    public ArenaTenant? Tenant { get; private set; }

    /// <summary>Changes when another tape takes over or the block moves: a tape's previous values are then lost.</summary>
    public long TapeVersion { get; private set; }

    /// <summary>Words held.</summary>
    public long Capacity => _block?.Length ?? 0;

    /// <summary>Makes room for a plan of that many words.</summary>
    public void Reserve(long words)
    {
        if (words <= Capacity) return;
        Generation++;
        TapeVersion++;
        var old = _block;
        _block = null; // remains null if the allocation fails: nothing may read the freed block
        if (old is not null) device.Free(old);
        _block = device.Allocate(words);
    }

    /// <summary>Called when a tape starts to run.</summary>
    public void Enter(ArenaTenant tape)
    {
        if (tape != Tenant) TapeVersion++;
        Tenant = tape;
    }

    /// <summary>Marks the tapes' values as lost.</summary>
    public void Invalidate() => TapeVersion++;

    public DeviceBuffer View(long offset, long length) => _block!.View(offset, length);
}

/// <summary>Identifies a tape: its tensors hold their values until another tape runs on the device.</summary>
internal sealed class ArenaTenant
{
    /// <summary>Steps of the tape's plan that have begun.</summary>
    public int Steps { get; set; }

    /// <summary>Whether the last run had a backward pass.</summary>
    public bool HasGradients { get; set; }
}
