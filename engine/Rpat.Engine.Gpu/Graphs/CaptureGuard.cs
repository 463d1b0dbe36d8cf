namespace Rpat.Engine.Gpu.Graphs;

/// <summary>
/// Tracks whether the stream records. Recorded work runs later and more than once, so recording must not contain anything that takes effect
/// only now: an allocation or a compilation would not be part of the record, a copy from the host would copy whatever is there at launch
/// time, and waiting for a recording stream is a driver error.
/// </summary>
internal sealed class CaptureGuard
{
    /// <summary>Whether the stream is recording.</summary>
    public bool IsOn { get; private set; }

    /// <summary>Throws if recording: recorded work cannot contain this.</summary>
    /// <param name="what">What the work does, as the end of the sentence "the work …".</param>
    /// <exception cref="GraphException">The stream is recording.</exception>
    public void Forbid(string what)
    {
        if (IsOn) throw new GraphException($"the work {what}", isFinal: false);
    }

    /// <summary>Records what <paramref name="queue"/> queues.</summary>
    /// <exception cref="GraphException">The driver refuses, or the work does something that cannot be recorded.</exception>
    public CapturedWork Record(IGraphDriver driver, ILGPU.Runtime.AcceleratorStream stream, Action queue)
    {
        driver.Begin(stream);
        IsOn = true;
        try
        {
            queue();
        }
        catch
        {
            driver.Abandon(stream);
            throw;
        }
        finally
        {
            IsOn = false;
        }
        return driver.End(stream);
    }
}
