namespace Rpat.Engine.Devices;

/// <summary>
/// One block of device memory for everything that lives only within a step. Tapes plan offsets into it; since tapes of a
/// device run one after another, they overlay each other, and the block is as large as the largest of them.
/// </summary>
internal sealed class Arena(Device device)
{
    private DeviceBuffer? _block;

    /// <summary>Changes when the block moved, so that tapes know to bind their tensors again.</summary>
    public int Generation { get; private set; }

    /// <summary>Who ran last: the only one whose values are still there.</summary>
    public ArenaTenant? Tenant { get; private set; }

    /// <summary>Changes when another tape takes over, or the block moved: nothing that a tape left there is left.</summary>
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
        _block = null; // stays so when there is no memory for the new one: nothing may read the freed one
        if (old is not null) device.Free(old);
        _block = device.Allocate(words);
    }

    /// <summary>Says that a tape runs now.</summary>
    public void Enter(ArenaTenant tape)
    {
        if (tape != Tenant) TapeVersion++;
        Tenant = tape;
    }

    /// <summary>Says that what tapes left here is not to be used again.</summary>
    public void Invalidate() => TapeVersion++;

    public DeviceBuffer View(long offset, long length) => _block!.View(offset, length);
}

/// <summary>Stands for a tape, whose tensors hold their values until another tape has run on the device.</summary>
internal sealed class ArenaTenant;
