namespace Rpat.Engine.Autograd;

/// <summary>
/// A part of a step that queues the same kernels each time: tapes and the kernels between them, such as the iterations of an attack. On a
/// device that supports capture, the first run is an ordinary one, which allocates and compiles; the second is recorded; from then on all
/// kernels are launched at once. When a by-value kernel argument changes (such as a loss's weight) or memory moves, it is recorded again.
/// On devices without capture the body simply runs. Once recorded, a run allocates nothing on the managed heap.
/// </summary>
/// <param name="body">The work. It may run tapes and call kernels. On a device that captures, it may not read or write host memory that
/// differs from run to run, because a launch does not call it; if it copies from or to the host, allocates or waits, it is never
/// captured.</param>
/// <param name="captures">False for a body that is known to wait, for example for other processes.</param>
public sealed class GraphCapture(Device device, Action body, bool captures = true)
{
    private readonly List<ICapturedRun> _tapes = []; // in the order in which they ran, with repetitions
    private CapturedWork? _captured;
    private object? _about;
    private long _version = -1;
    private bool _refused;

    /// <summary>Whether the last run launched recorded work instead of queueing kernel by kernel.</summary>
    public bool IsCaptured { get; private set; }

    /// <summary>Runs the body or launches its record.</summary>
    /// <param name="about">Any object that the body uses and that may be a different one in another run, such as an attack's images;
    /// compared by reference.</param>
    public void Run(object? about = null)
    {
        IsCaptured = false;
        if (_refused || !captures || !device.Captures || IsProfiled()) body();
        else if (_version != Version() || !ReferenceEquals(about, _about)) RunFirst(about);
        else RunAgain();
    }

    /// <summary>Frees the record, if there is one; the next run is a first one again.</summary>
    public void Forget()
    {
        if (!device.IsDisposed) _captured?.Dispose();
        (_captured, _version) = (null, -1);
        _tapes.Clear();
    }

    private void RunFirst(object? about)
    {
        Forget();
        device.Runs = _tapes;
        try
        {
            body();
        }
        finally
        {
            device.Runs = null;
        }
        (_about, _version) = (about, Version());
    }

    /// <summary>The host's part of each tape's run is done here; the body, if it is called at all, only queues kernels.</summary>
    private void RunAgain()
    {
        foreach (var tape in _tapes) tape.Begin();
        _captured ??= Capture();
        IsCaptured = _captured is not null;
        if (!IsCaptured) QueueOnly();
        else using (device.BeginPass()) _captured!.Launch();
        if (IsCaptured) foreach (var tape in _tapes) tape.End();
    }

    private CapturedWork? Capture()
    {
        device.Arena.Invalidate(); // so that the record itself packs all weights: they may differ at the next launch
        var captured = device.Capture(QueueOnly);
        _refused = captured is null;
        if (_refused) device.Arena.Invalidate(); // what was to be recorded has not run
        return captured;
    }

    private void QueueOnly()
    {
        device.IsCapturing = true;
        try
        {
            body();
        }
        finally
        {
            device.IsCapturing = false;
        }
    }

    private bool IsProfiled() => _tapes.Exists(static tape => tape.IsProfiled);

    // Each summand only grows, so equal sums mean that none has changed.
    private long Version()
    {
        long version = device.Moves;
        foreach (var tape in _tapes) version += tape.Changes();
        return version;
    }
}
