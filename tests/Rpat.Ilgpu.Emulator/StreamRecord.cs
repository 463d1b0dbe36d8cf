using ILGPU.Runtime;

namespace Rpat.Ilgpu.Emulator;

/// <summary>
/// What a driver's stream capture does: between <see cref="Begin"/> and <see cref="End"/> a stream's kernels and copies are noted
/// with their arguments and not run. Whatever is not allowed meanwhile (allocating, waiting, copies from or to the host, loading kernels,
/// work on other streams) is a fault.
/// </summary>
public sealed class StreamRecord
{
    private readonly List<Action> _work;

    private StreamRecord(List<Action> work) => _work = work;

    /// <summary>Kernels and copies in it.</summary>
    public int Count => _work.Count;

    /// <summary>Lets a stream record.</summary>
    public static void Begin(AcceleratorStream stream)
    {
        stream.Accelerator.ForbidWhileRecording("begins to record");
        stream.Record = [];
        stream.Accelerator.Recording = stream;
    }

    /// <summary>Ends it.</summary>
    public static StreamRecord End(AcceleratorStream stream)
    {
        var work = stream.Record ?? throw new EmulatorException("The host ends a record that was not begun.");
        stream.Record = null;
        stream.Accelerator.Recording = null;
        return new StreamRecord(work);
    }

    /// <summary>Runs what was recorded, in its order.</summary>
    public void Launch()
    {
        foreach (var work in _work) work();
    }
}
