namespace Rpat.Engine.Gpu.Driver;

/// <summary>
/// One thread at a time may use a device: its stream, staging and scratch memory belong to the work that is being queued. Another thread
/// may continue afterwards, and ILGPU makes the device's context current for it; concurrent use throws.
/// </summary>
internal sealed class ThreadGuard(string device)
{
    private int _owner; // managed thread, 0 for none
    private int _depth;

    /// <summary>Starts a piece of work, which may be nested in another one of the same thread; dispose of the result at its end.</summary>
    /// <exception cref="InvalidOperationException">Another thread is using the device.</exception>
    public Turn Enter()
    {
        int self = Environment.CurrentManagedThreadId, owner = Interlocked.CompareExchange(ref _owner, self, 0);
        if (owner != 0 && owner != self)
            throw new InvalidOperationException($"{device} is used by thread {self} while thread {owner} queues work on it: let one thread "
                + "use a device at a time, or open it once per thread.");
        _depth++;
        return new Turn(this);
    }

    private void Leave()
    {
        if (--_depth == 0) Volatile.Write(ref _owner, 0);
    }

    /// <summary>A thread's piece of work.</summary>
    public readonly ref struct Turn(ThreadGuard guard)
    {
        public void Dispose() => guard.Leave();
    }
}
