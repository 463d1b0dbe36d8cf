namespace Rpat.Engine.Gpu.Graphs;

/// <summary>
/// Knows whether the stream records. Recorded work runs later and more than once, so nothing may happen while recording that only
/// counts now: an allocation or a compilation would not be part of the record, a copy from the host would move what lies there by
/// then, and waiting for a stream that records is an error of the driver.
/// </summary>
internal sealed class CaptureGuard
{
    /// <summary>Whether the stream records.</summary>
    public bool IsOn { get; private set; }

    /// <summary>Refuses what recorded work cannot contain.</summary>
    /// <param name="what">What it does, as the end of the sentence "the work …".</param>
    /// <exception cref="GraphException">The stream records.</exception>
    public void Forbid(string what)
    {
        if (IsOn) throw new GraphException($"the work {what}", isFinal: false);
    }

    /// <summary>Records what <paramref name="queue"/> queues.</summary>
    /// <exception cref="GraphException">The driver refuses, or the work does what cannot be recorded.</exception>
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
