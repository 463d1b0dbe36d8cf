namespace Rpat.Engine.Devices;

/// <summary>
/// Kernels that a device has recorded in the order in which they were queued, to be queued again all at once (a graph on CUDA).
/// </summary>
public abstract class CapturedWork : IDisposable
{
    /// <summary>Queues all of it, with the recorded arguments.</summary>
    public abstract void Launch();

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the device's resources for it.</summary>
    protected abstract void Dispose(bool disposing);
}
