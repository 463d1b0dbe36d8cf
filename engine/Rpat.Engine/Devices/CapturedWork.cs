namespace Rpat.Engine.Devices;

/// <summary>Kernels that a device has recorded in the order in which they were queued, to be queued
/// again all at once (on CUDA a graph).</summary>
public abstract class CapturedWork : IDisposable
{
    /// <summary>Queues all of it, with the arguments that it was recorded with.</summary>
    public abstract void Launch();

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees what the device keeps for it.</summary>
    protected abstract void Dispose(bool disposing);
}
